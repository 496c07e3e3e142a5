import { evolve, toSnapshot } from '@toolstream/domain';
import {
  isRunEnded,
  type RunAddress,
  type RunState,
  type RunStatus,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import type { Projection, RowPosition } from '../adapters/projection.ts';
import type { RunReader } from '../adapters/run-reader.ts';
import { Refusal } from '../problems.ts';
import { endStatus } from './entry.ts';
import type { EdgeLog } from './log.ts';
import type { Folded, StateSource } from './snapshots.ts';
import { type Topic, topicSubjects } from './topic.ts';

/** A run's state: what `GET /v1/runs/:id` answers. */
export function runSource(reader: RunReader, address: RunAddress): StateSource<RunState> {
  return {
    async load() {
      const state = await reader.read(address);
      return state && { state, positions: [state.seq] };
    },
    apply: (state, event, seq) => evolve(state, { event, seq }) ?? state,
    body: (state, cursor) => toSnapshot(state, cursor),
  };
}

export interface AppView {
  /** Live runs, newest first. */
  readonly runs: readonly RunState[];
  readonly more: boolean;
}

export const APP_RUNS = 200;
const LIVE: RunStatus[] = ['accepted', 'running', 'paused', 'cancelling'];
const POSITIONS_DEADLINE_MS = 250;
const READS_AT_ONCE = 16;

/** An app's live runs. */
export function appSource(
  log: EdgeLog,
  projection: Projection,
  reader: RunReader,
  topic: Extract<Topic, { kind: 'app' }>,
): StateSource<AppView> {
  const partitions = Array.from({ length: log.partitions }, (_, p) => p);
  return {
    load: () => loadApp(log, projection, reader, topic, partitions),
    apply: (view, event, seq) => appliedTo(view, event, seq),
    body: (view, cursor) => ({
      runs: view.runs.map((run) => toSnapshot(run, cursor)),
      ...(view.more ? { more: true } : {}),
    }),
  };
}

/** Events of runs that are neither listed nor accepted by this very event leave the view as it is. */
function appliedTo(view: AppView, event: ToolstreamEvent, seq: number): AppView {
  const at = view.runs.findIndex((run) => run.run_id === event.runid);
  const before = view.runs[at];
  const after = evolve(before, { event, seq });
  if (!after || after === before) return view;
  if (before) {
    // Ended it has, also where a purge of what came before its end keeps the fold from saying so.
    const ended = isRunEnded(after.status) || endStatus(event.type) !== undefined;
    const runs = ended ? view.runs.toSpliced(at, 1) : view.runs.with(at, after);
    return { ...view, runs };
  }
  const runs = [after, ...view.runs];
  return runs.length > APP_RUNS ? { runs: runs.slice(0, APP_RUNS), more: true } : { ...view, runs };
}

/**
 * The live runs as the projection lists them, then everything that the log holds after the projection's position. That
 * position is read first, so that no run can fall between list and log; rows that are newer only repeat events, and a fold
 * ignores those. Where the projection does not answer in time, the log alone tells which runs live.
 */
async function loadApp(...sources: LoadArguments): Promise<Folded<AppView>> {
  for (let tries = 1; ; tries++) {
    const loaded = await loadOnce(...sources);
    if (loaded) return loaded;
    if (tries === LOAD_TRIES) throw new Refusal('unavailable', 'The log could not be read up to its present end.');
    await new Promise((resolve) => setTimeout(resolve, LOAD_RETRY_MS));
  }
}

type LoadArguments = Parameters<typeof loadOnce>;
const LOAD_TRIES = 5;
const LOAD_RETRY_MS = 100;

/** `undefined` when a read was answered by a replica that is behind what the leader said first, or a purge ran into it. */
async function loadOnce(
  log: EdgeLog,
  projection: Projection,
  reader: RunReader,
  topic: Extract<Topic, { kind: 'app' }>,
  partitions: readonly number[],
): Promise<Folded<AppView> | undefined> {
  const base =
    (await listed(log, projection, reader, topic, partitions)) ?? (await scanned(log, reader, topic, partitions));
  // Asked when the states are known: none of them, nor the end of a run that is left out, lies behind these.
  const lasts = await Promise.all(partitions.map((p) => log.lastOf(topicSubjects(topic, p), { leader: true })));
  const positions = lasts.map((last) => last?.seq ?? 0);
  let view = base.view;
  for (const [slot, partition] of partitions.entries()) {
    const from = base.from[slot]!;
    const reach = positions[slot]!;
    let last = 0;
    for await (const stored of log.read(topicSubjects(topic, partition), { partition, from })) {
      last = stored.seq;
      view = appliedTo(view, stored.event(), stored.seq);
    }
    if (Math.max(last, from - 1) < reach) return undefined;
    const behind = from - 1;
    if (last > 0 && !(await log.isIntact(topicSubjects(topic, partition), { behind, ofRun: false }))) return undefined;
    positions[slot] = Math.max(last, reach);
  }
  return { state: newestFirst(view), positions };
}

interface Base {
  readonly view: AppView;
  /** Per partition the first sequence that the view may lack. */
  readonly from: readonly number[];
}

async function listed(
  log: EdgeLog,
  projection: Projection,
  reader: RunReader,
  topic: Extract<Topic, { kind: 'app' }>,
  partitions: readonly number[],
): Promise<Base | undefined> {
  try {
    const rows = await projection.positions(POSITIONS_DEADLINE_MS);
    const from = partitions.map((partition) => positionAfter(log, rows, partition));
    if (from.includes(undefined)) return undefined;
    const { tenant, app } = topic;
    const page = await projection.runs({ tenant, apps: [app], app, status: LIVE, limit: APP_RUNS });
    const states = await mapBounded(page.runs, (item) => reader.read({ tenant, app, run: item.run_id }));
    const runs = states.filter((state) => state !== undefined && !isRunEnded(state.status)) as RunState[];
    return { view: { runs, more: page.next !== undefined }, from: from as number[] };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'unavailable') return undefined;
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function positionAfter(log: EdgeLog, rows: readonly RowPosition[], partition: number): number | undefined {
  const row = rows.find((position) => position.partition === partition);
  return row && row.epoch === log.epoch(partition) ? row.seq + 1 : undefined;
}

/** Which runs live, told by the subjects and types in the log alone: nothing is decoded. */
async function scanned(
  log: EdgeLog,
  reader: RunReader,
  topic: Extract<Topic, { kind: 'app' }>,
  partitions: readonly number[],
): Promise<Base> {
  const live: { run: string; seq: number; time: number }[] = [];
  const from: number[] = [];
  for (const partition of partitions) {
    const open = new Map<string, { run: string; seq: number; time: number }>();
    let last = 0;
    for await (const stored of log.read(runLifeSubjects(topic, partition), { partition, from: 1 })) {
      last = stored.seq;
      const { run } = stored.address();
      // Where the log was purged, a run's first event here need not be its acceptance.
      if (/^run\.(succeeded|failed|cancelled)\./.test(stored.type)) open.delete(run);
      else if (!open.has(run)) open.set(run, { run, seq: stored.seq, time: stored.time ?? 0 });
    }
    live.push(...open.values());
    from.push(last + 1);
  }
  live.sort((a, b) => b.time - a.time || b.seq - a.seq);
  const newest = live.slice(0, APP_RUNS);
  const { tenant, app } = topic;
  const states = await mapBounded(newest, ({ run }) => reader.read({ tenant, app, run }));
  const runs = states.filter((state) => state !== undefined && !isRunEnded(state.status)) as RunState[];
  return { view: { runs, more: live.length > APP_RUNS }, from };
}

const runLifeSubjects = (topic: Extract<Topic, { kind: 'app' }>, partition: number): string =>
  topicSubjects(topic, partition).replace(/\*$/, 'run');

const newestFirst = (view: AppView): AppView => ({
  ...view,
  runs: [...view.runs].sort((a, b) =>
    a.accepted_at < b.accepted_at ? 1 : a.accepted_at > b.accepted_at ? -1 : b.accepted_seq - a.accepted_seq,
  ),
});

async function mapBounded<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(READS_AT_ONCE, items.length) }, worker));
  return results;
}
