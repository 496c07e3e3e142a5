import { useQuery } from '@tanstack/react-query';
import { useToolstream } from '@toolstream/react';
import { X } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';
import { useShortcuts } from '../../shell/view-shortcuts.ts';
import { Button, type Option, Select, statusLook, TextField } from '../../ui/index.ts';
import styles from './Filters.module.css';
import { isAppName, isFiltered, type RunsSearch, type Since, type StatusChoice } from './search.ts';

const ANY = '*';
const STATUSES: readonly Option<StatusChoice | typeof ANY>[] = [
  { id: ANY, label: 'Any status' },
  { id: 'live', label: 'Live' },
  ...(['running', 'paused', 'succeeded', 'failed', 'cancelled'] as const).map((id) => ({
    id,
    label: statusLook[id].word,
  })),
];
const TIMES: readonly Option<Since | typeof ANY>[] = [
  { id: ANY, label: 'Any time' },
  { id: 'hour', label: 'Last hour' },
  { id: 'day', label: 'Last 24 hours' },
  { id: 'week', label: 'Last 7 days' },
];

interface FiltersProps {
  readonly search: RunsSearch;
  /** Without `before`: another filter begins with the newest. */
  readonly onChange: (search: RunsSearch) => void;
}

export function Filters({ search, onChange }: FiltersProps) {
  const { before: _before, ...filter } = search;
  const tools = useToolOptions(filter.tool);
  const change = <K extends keyof RunsSearch>(key: K, value: RunsSearch[K] | typeof ANY) => {
    const { [key]: _old, ...others } = filter;
    onChange(value === ANY || value === undefined ? others : { ...others, [key]: value });
  };
  return (
    <search className={styles.filters} aria-label="Filter runs">
      <Select
        label="Status"
        options={STATUSES}
        value={filter.status ?? ANY}
        onChange={(value) => change('status', value)}
      />
      <AppFilter app={filter.app ?? ''} onChange={(app) => change('app', app === '' ? undefined : app)} />
      <Select label="Tool" options={tools} value={filter.tool ?? ANY} onChange={(value) => change('tool', value)} />
      <Select
        label="Accepted"
        options={TIMES}
        value={filter.since ?? ANY}
        onChange={(value) => change('since', value)}
      />
      {isFiltered(filter) && (
        <Button variant="quiet" icon={<X aria-hidden />} onPress={() => onChange({})}>
          Clear
        </Button>
      )}
    </search>
  );
}

/** Every tool that some executor serves now, and the one that is asked for. */
function useToolOptions(chosen: string | undefined): readonly Option<string>[] {
  const client = useToolstream();
  const { data } = useQuery({
    queryKey: ['tools'],
    queryFn: ({ signal }) => client.tools({ signal }),
    staleTime: 60_000,
  });
  const names = new Set((data?.tools ?? []).map(({ name }) => name));
  if (chosen !== undefined) names.add(chosen);
  return [{ id: ANY, label: 'Any tool' }, ...[...names].sort().map((id) => ({ id, label: id }))];
}

const TYPING_MS = 350;

/** Taken when typing pauses. `/` goes there. */
function AppFilter({ app, onChange }: { readonly app: string; readonly onChange: (app: string) => void }) {
  const [text, setText] = useState(app);
  const field = useRef<HTMLDivElement>(null);
  const latest = useRef(onChange);
  useEffect(() => {
    latest.current = onChange;
  });
  // The address is changed by others too: a cleared filter, the way back.
  useEffect(() => setText(app), [app]);
  useEffect(() => {
    const typed = text.trim();
    if (typed === app || (typed !== '' && !isAppName(typed))) return;
    const timer = setTimeout(() => latest.current(typed), TYPING_MS);
    return () => clearTimeout(timer);
  }, [text, app]);
  useShortcuts([{ key: '/', words: 'Filter by app', act: () => field.current?.querySelector('input')?.focus() }]);
  const isNone = text.trim() !== '' && !isAppName(text.trim());
  return (
    <div ref={field}>
      <TextField
        label="App"
        placeholder="Any app"
        value={text}
        onChange={setText}
        autoComplete="off"
        spellCheck="false"
        errorMessage={isNone ? 'Letters, digits, - and _ only' : undefined}
      />
    </div>
  );
}
