import type { Client } from '@toolstream/client';
import type { Recorded } from '@toolstream/domain';
import type { RunState } from '@toolstream/proto-events';

/** Somebody who watches a run from its first event and writes down what arrives. */
export interface Witness {
  readonly seen: { seq: number; id: string }[];
  readonly done: Promise<RunState>;
  /** Snapshots after the first event: each stands for a stretch that was not sent one by one. */
  readonly snapshots: string[];
}

const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));

export function witness(client: Client, run: string): Witness {
  const seen: Witness['seen'] = [];
  const snapshots: string[] = [];
  const watch = client.watch(run, { cursor: 'start' });
  watch.on('event', ({ cursor, event }) => seen.push({ seq: seqOf(cursor), id: event.id }));
  watch.on('snapshot', ({ reason }) => snapshots.push(reason));
  return { seen, snapshots, done: watch.done };
}

/** Differences between what a witness saw and what the log holds: gaps, repetitions, wrong order. */
export function problemsOfWitness({ seen, snapshots }: Witness, log: readonly Recorded[]): string[] {
  const problems: string[] = [];
  if (snapshots.length > 0) problems.push(`snapshots instead of events: ${snapshots.join(', ')}`);
  for (let i = 1; i < seen.length; i++) {
    if (seen[i]!.seq <= seen[i - 1]!.seq) problems.push(`${seen[i]!.seq} after ${seen[i - 1]!.seq}`);
  }
  const ids = new Set(seen.map((s) => s.id));
  if (ids.size !== seen.length) problems.push(`${seen.length - ids.size} repeated`);
  const missing = log.filter((r) => !ids.has(r.event.id)).map((r) => `${r.seq} ${r.event.type}`);
  if (missing.length > 0) problems.push(`missing: ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ' …' : ''}`);
  if (seen.length > log.length) problems.push(`${seen.length - log.length} that are not in the log`);
  return problems;
}
