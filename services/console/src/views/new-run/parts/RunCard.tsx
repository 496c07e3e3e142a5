import { useQuery } from '@tanstack/react-query';
import { useToolstream } from '@toolstream/react';
import type { Dispatch } from 'react';
import { Card, Select, TextField } from '../../../ui/index.ts';
import type { Draft, DraftAction, Order } from '../model/draft.ts';
import type { Problem } from '../model/problems.ts';
import styles from './NewRun.module.css';
import { SuggestField } from './SuggestField.tsx';

const ORDERS: readonly { readonly id: Order; readonly label: string }[] = [
  { id: 'sequential', label: 'One after the other' },
  { id: 'parallel', label: 'All at once' },
  { id: 'graph', label: 'As each call says' },
];
const ORDER_WORDS: Readonly<Record<Order, string>> = {
  sequential: 'Each call waits for the end of the one before, whatever that end is.',
  parallel: 'Every call starts as soon as there is room for it.',
  graph: 'A call waits for those that it names, and is skipped if one of them fails.',
};

export interface RunCardProps {
  readonly draft: Draft;
  readonly change: Dispatch<DraftAction>;
  readonly problems: readonly Problem[];
}

/** What concerns the run as a whole. */
export function RunCard({ draft, change, problems }: RunCardProps) {
  const apps = useKnownApps();
  const of = (field: Problem['field']) =>
    problems.find((problem) => problem.call === undefined && problem.field === field)?.message;
  const set = (part: Extract<DraftAction, { type: 'set' }>['change']) => change({ type: 'set', change: part });
  return (
    <Card title="The run">
      <div className={styles.fields}>
        <SuggestField
          label="App"
          description="Whose files the calls work on."
          value={draft.app}
          onChange={(app) => set({ app })}
          suggestions={apps.map((id) => ({ id }))}
          errorMessage={of('app')}
        />
        <TextField
          label="Message (optional)"
          description="The chat message that pages follow."
          value={draft.message_id}
          onChange={(message_id) => set({ message_id })}
          errorMessage={of('message_id')}
        />
        <div className={styles.stackTight}>
          <Select label="Order" options={ORDERS} value={draft.order} onChange={(order) => set({ order })} />
          <p className={styles.quiet}>{ORDER_WORDS[draft.order]}</p>
        </div>
      </div>
    </Card>
  );
}

/** Apps of the newest runs: nothing else lists apps. */
function useKnownApps(): readonly string[] {
  const client = useToolstream();
  const { data } = useQuery({
    queryKey: ['known-apps'],
    queryFn: ({ signal }) => client.list({ limit: 200 }, { signal }),
    staleTime: 60_000,
  });
  return [...new Set(data?.runs.map(({ app }) => app))].sort();
}
