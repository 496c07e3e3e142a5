import { useQuery } from '@tanstack/react-query';
import type { ToolListing } from '@toolstream/client';
import { useToolstream } from '@toolstream/react';
import { Play } from 'lucide-react';
import { useCallback, useMemo, useState } from 'react';
import { useIdentity } from '../../session/index.ts';
import { Button, EmptyState, ErrorNotice, Page } from '../../ui/index.ts';
import { EMPTY_DRAFT, nextKey, numberOf } from './model/draft.ts';
import type { PastedCall } from './model/paste.ts';
import { problemsOf, refusalOf } from './model/problems.ts';
import { AddCall } from './parts/AddCall.tsx';
import { CallCard } from './parts/CallCard.tsx';
import styles from './parts/NewRun.module.css';
import { PasteCard } from './parts/PasteCard.tsx';
import { ProblemList } from './parts/ProblemList.tsx';
import { RunCard } from './parts/RunCard.tsx';
import { newRunRoute } from './route.ts';
import { useDraft } from './use-draft.ts';
import { useSubmit } from './use-submit.ts';

/** Calls after these begin closed: their forms are made when they are opened. One that is added by itself is open. */
const FEW = 5;
const NO_TOOLS: readonly ToolListing[] = [];

/** `/new`: a run from a model's response or from tools' schemas, kept as a draft until it is handed over. */
export function NewRunView() {
  const { draft, change, aside, bringBack, loading, error } = useDraft();
  const { tool } = newRunRoute.useSearch();
  const { tools, toolsError } = useTools();
  const may = useIdentity().can('runs:write');
  const [tries, setTries] = useState(0);
  const [toggled, setToggled] = useState<ReadonlyMap<string, boolean>>(new Map());
  const submit = useSubmit(() => change({ type: 'replace', draft: EMPTY_DRAFT }));
  const found = useMemo(() => problemsOf(draft, tools), [draft, tools]);
  const blocking = found.filter(({ warning }) => !warning);
  const refused = submit.error === null || submit.variables !== draft ? [] : refusalOf(submit.error, draft);
  // Before somebody tried to hand over, an empty field is no mistake yet.
  const shown = tries === 0 ? found.filter(({ warning }) => warning) : [...found, ...refused];
  const open = useCallback(
    (key: string, isOpen = true) => setToggled((before) => new Map(before).set(key, isOpen)),
    [],
  );
  const { calls } = draft;

  const takeOver = (pasted: readonly PastedCall[]) => {
    if (pasted.some(({ waits_for }) => waits_for.length > 0)) change({ type: 'set', change: { order: 'graph' } });
    change({ type: 'add', calls: pasted });
  };
  const handOver = () => {
    setTries(tries + 1);
    if (blocking.length === 0) submit.mutate(draft);
    else for (const { call } of blocking) if (call !== undefined) open(call);
  };

  return (
    <Page
      title="New run"
      breadcrumbs={[{ label: 'Runs', to: '/' }]}
      lead="Hand over tool calls, and follow what they do."
    >
      {loading !== undefined && <p role="status">Taking over the calls of {loading}…</p>}
      {error !== undefined && <ErrorNotice title="The calls of that run cannot be taken over" error={error} />}
      {toolsError !== null && <ErrorNotice title="The tools cannot be listed" error={toolsError} />}
      {aside !== undefined && (
        <div className={styles.notice}>
          <p>The draft that was here is set aside.</p>
          <Button size="s" onPress={bringBack}>
            Bring it back
          </Button>
        </div>
      )}
      <RunCard draft={draft} change={change} problems={shown} />
      <div className={styles.columns}>
        <PasteCard onCalls={takeOver} />
        <AddCall
          tools={tools ?? NO_TOOLS}
          offered={tool}
          onAdd={({ name, text }) => {
            open(nextKey(calls));
            change({ type: 'add', calls: [{ id: '', name, text }] });
          }}
        />
      </div>
      <section className={styles.stack} aria-labelledby="calls">
        <h2 id="calls" className={styles.heading}>
          Calls
        </h2>
        {calls.length === 0 && <EmptyState title="No calls yet">Paste a response, or pick a tool.</EmptyState>}
        {calls.map((call, at) => (
          <CallCard
            key={call.key}
            call={call}
            number={at + 1}
            total={calls.length}
            calls={calls}
            tools={tools ?? NO_TOOLS}
            problems={shown.filter((problem) => problem.call === call.key)}
            isGraph={draft.order === 'graph'}
            isOpen={toggled.get(call.key) ?? numberOf(call.key) <= FEW}
            onOpen={open}
            change={change}
          />
        ))}
      </section>
      {tries > 0 && blocking.length + refused.length > 0 && (
        // One for each try: that one failed leads there, a change of the list does not.
        <ProblemList key={tries} problems={[...blocking, ...refused]} calls={calls} onOpen={open} />
      )}
      {submit.error !== null && submit.variables === draft && refused.length === 0 && (
        <ErrorNotice title="The run was not accepted" error={submit.error} />
      )}
      <div className={styles.row}>
        <Button variant="primary" icon={<Play />} onPress={handOver} isPending={submit.isPending} isDisabled={!may}>
          Start the run
        </Button>
        {calls.length > 0 && (
          <Button variant="quiet" onPress={() => change({ type: 'replace', draft: EMPTY_DRAFT })}>
            Clear the draft
          </Button>
        )}
        <p className={styles.quiet}>
          {may
            ? 'The draft is kept in this tab until then.'
            : 'Your token may not start runs: it lacks the scope runs:write.'}
        </p>
      </div>
    </Page>
  );
}

function useTools() {
  const client = useToolstream();
  const { data, error } = useQuery({
    queryKey: ['tools'],
    queryFn: ({ signal }) => client.tools({ signal }),
    staleTime: 10_000,
    refetchInterval: 30_000,
  });
  return { tools: data?.tools, toolsError: error };
}
