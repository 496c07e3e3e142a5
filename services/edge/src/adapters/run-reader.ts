import { evolve } from '@toolstream/domain';
import type { StoredEvent } from '@toolstream/event-log';
import {
  partitionOfRun,
  type RunAddress,
  type RunState,
  runSubjects,
  runSubjectsAnyApp,
} from '@toolstream/proto-events';
import { LRUCache } from 'lru-cache';
import type { EdgeLog } from '../feeds/log.ts';
import { Refusal } from '../problems.ts';
import type { Projection } from './projection.ts';

/** How long a read waits for the projection before it folds the run from its beginning. */
const ROW_DEADLINE_MS = 250;
/** Reads that a purge ran into, one after the other, before that is an answer. */
const TRIES = 3;

export interface RunReader {
  /** The run's address, if it is in the log of this tenant. Asks the leader: a run just accepted is always found. */
  locate(tenant: string, run: string): Promise<RunAddress | undefined>;
  /** The run's state with everything that the log held when this was called. Concurrent readers share reads. */
  read(address: RunAddress): Promise<RunState | undefined>;
  /** The run's state as it was at this sequence. */
  readAt(address: RunAddress, seq: number): Promise<RunState | undefined>;
}

export function runReader(log: EdgeLog, projection: Projection): RunReader {
  /** A run never changes its app. */
  const known = new LRUCache<string, RunAddress>({ max: 20_000 });
  const shared = sharedReads<RunState | undefined>();

  return {
    async locate(tenant, run) {
      const key = `${tenant}/${run}`;
      const address = known.get(key);
      if (address) return address;
      const partition = partitionOfRun(run);
      if (partition === undefined || partition >= log.partitions) return undefined;
      const last = await log.lastOf(runSubjectsAnyApp(tenant, run), { leader: true });
      if (!last) return undefined;
      const { app } = last.address();
      const found = { tenant, app, run };
      known.set(key, found);
      return found;
    },

    read: (address) => shared(`${address.tenant}/${address.run}`, () => whole(() => readRow(log, projection, address))),

    readAt: (address, seq) => whole(() => foldOn(log, address, undefined, { to: seq })),
  };
}

/** Between the row and the log, or between two pages of the log, events were purged that neither of them gave. */
class PurgedMeanwhile extends Error {
  override readonly name = 'PurgedMeanwhile';
}

/** Reads once more where a purge ran into a read: the row holds by then what was purged. */
async function whole<T>(read: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof PurgedMeanwhile)) throw error;
      if (tries === TRIES) throw new Refusal('unavailable', 'The run was purged while it was read.');
    }
  }
}

/**
 * The projection's row, then the log from the row's position to the run's last event, as the leader knows it; without a
 * row in time, the whole log of the run.
 */
async function readRow(log: EdgeLog, projection: Projection, address: RunAddress): Promise<RunState | undefined> {
  const partition = partitionOfRun(address.run)!;
  const [row, last] = await Promise.all([
    projection.run(address.tenant, address.run, ROW_DEADLINE_MS),
    log.lastOf(runSubjects(address), { leader: true }),
  ]);
  if (!last) return undefined;
  // A row of another incarnation of the stream, or one that is ahead of it, says nothing about this one.
  const usable = row?.position.epoch === log.epoch(partition) && row.state.seq <= last.seq;
  const from = usable ? row.state : undefined;
  if (from?.seq === last.seq) return from;
  const state = await foldOn(log, address, from, { through: last.seq });
  // Its beginning is no longer in the log: only the projection knows it, and that did not answer.
  if (!state) throw new Refusal('unavailable', 'The run is not whole in the log, and its row could not be read.');
  return state;
}

async function foldOn(
  log: EdgeLog,
  address: RunAddress,
  row: RunState | undefined,
  { to, through = 0 }: { to?: number; through?: number },
): Promise<RunState | undefined> {
  const partition = partitionOfRun(address.run)!;
  const range = { partition, from: (row?.seq ?? 0) + 1, ...(to === undefined ? {} : { to }) };
  let state = row;
  let last = range.from - 1;
  const apply = (stored: StoredEvent) => {
    state = evolve(state, { event: stored.event(), seq: stored.seq });
    last = stored.seq;
  };
  for await (const stored of log.read(runSubjects(address), range)) apply(stored);
  // The read was answered by a replica that is behind: the leader has the rest.
  if (last < through) for (const stored of await log.readRun(address, { from: last + 1, through })) apply(stored);
  const behind = row?.seq ?? 0;
  if (state && last > behind && !(await log.isIntact(runSubjects(address), { behind, ofRun: true })))
    throw new PurgedMeanwhile();
  return state;
}

/**
 * One read at a time per key. Who comes while one runs shares the next one, never the running one: that may have begun
 * before the caller's own write.
 */
function sharedReads<T>(): (key: string, read: () => Promise<T>) => Promise<T> {
  const running = new Map<string, { current: Promise<T>; next: Promise<T> | undefined }>();
  const start = (key: string, read: () => Promise<T>): Promise<T> => {
    const entry: { current: Promise<T>; next: Promise<T> | undefined } = { current: read(), next: undefined };
    running.set(key, entry);
    const done = () => {
      if (entry.next === undefined) running.delete(key);
    };
    entry.current.then(done, done);
    return entry.current;
  };
  return (key, read) => {
    const entry = running.get(key);
    if (!entry) return start(key, read);
    const again = () => start(key, read);
    entry.next ??= entry.current.then(again, again);
    return entry.next;
  };
}
