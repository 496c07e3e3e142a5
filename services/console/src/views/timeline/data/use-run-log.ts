import type { Client } from '@toolstream/client';
import { useToolstream } from '@toolstream/react';
import { useSyncExternalStore } from 'react';
import { type LogView, RunLog } from './run-log.ts';

/** Logs that stay after their run was left: one may come back, and its two tabs share one. */
const KEPT = 2;
const logs = new WeakMap<Client, Map<string, RunLog>>();

export function useRunLog(run: string): { readonly log: RunLog; readonly view: LogView } {
  const log = logOf(useToolstream(), run);
  const view = useSyncExternalStore(log.subscribe, log.getSnapshot, log.getSnapshot);
  return { log, view };
}

function logOf(client: Client, run: string): RunLog {
  const known = logs.get(client) ?? new Map<string, RunLog>();
  logs.set(client, known);
  const log = known.get(run) ?? new RunLog(client, run);
  known.delete(run);
  known.set(run, log);
  for (const oldest of known.keys()) {
    if (known.size <= KEPT) break;
    known.delete(oldest);
  }
  return log;
}
