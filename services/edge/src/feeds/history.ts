import type { Positions } from './cursors.ts';
import { Entry } from './entry.ts';
import type { EdgeLog } from './log.ts';
import { type Topic, topicSubjects } from './topic.ts';

type HistoryLog = Pick<EdgeLog, 'read' | 'isIntact'>;

export interface HistoryRequest {
  readonly topic: Topic;
  readonly from: Positions;
  /** Per partition an event that is known to be stored: what is read must reach it. */
  readonly until: Positions;
  readonly partitions: readonly number[];
  format(positions: Positions): string;
}

export interface HistoryPage {
  readonly entries: readonly Entry[];
  /** Everything up to here is in the page or before it. */
  readonly until: Positions;
  /** The page ends where the request ends; otherwise there is more. */
  readonly complete: boolean;
}

/** The log does not hold what it is known to have held: purged, or a replica that stays behind. */
export class HistoryHole extends Error {
  override readonly name = 'HistoryHole';
}

export const PAGE_ENTRIES = 512;
export const PAGE_BYTES = 1024 * 1024;
const TRIES = 5;
const RETRY_MS = 100;

/** One bounded page of history, chained like live entries from `from` on. */
export async function readHistory(log: HistoryLog, request: HistoryRequest): Promise<HistoryPage> {
  for (let tries = 1; ; tries++) {
    const page = await readOnce(log, request);
    if (page) {
      // Asked after the read: a purge that ran into it is seen too.
      if (!(await isIntact(log, request, page))) throw new HistoryHole('Events behind the position were purged.');
      return page;
    }
    if (tries === TRIES) throw new HistoryHole('The log lacks events that were relayed before.');
    // Direct reads may be answered by a replica that is a moment behind.
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

async function readOnce(log: HistoryLog, request: HistoryRequest): Promise<HistoryPage | undefined> {
  const { topic, from, until, partitions, format } = request;
  const app = topic.kind === 'app' ? topic.app : undefined;
  const entries: Entry[] = [];
  let positions = from;
  let prev = format(positions);
  let bytes = 0;
  for (const [slot, partition] of partitions.entries()) {
    const to = until[slot]!;
    if (to <= from[slot]!) continue;
    let last = 0;
    for await (const event of log.read(topicSubjects(topic, partition), {
      partition,
      from: from[slot]! + 1,
      to,
      batch: PAGE_ENTRIES,
    })) {
      last = event.seq;
      positions = positions.with(slot, event.seq);
      const cursor = format(positions);
      const { run } = event.address();
      entries.push(
        new Entry({ slot, prev, cursor, positions, app }, { seq: event.seq, type: event.type, run, data: event.data }),
      );
      prev = cursor;
      bytes += event.data.length;
      if (entries.length >= PAGE_ENTRIES || bytes >= PAGE_BYTES) {
        return { entries, until: positions, complete: last === to && slot === partitions.length - 1 };
      }
    }
    if (last !== to) return undefined;
  }
  return { entries, until: positions, complete: true };
}

async function isIntact(log: HistoryLog, request: HistoryRequest, page: HistoryPage): Promise<boolean> {
  const { topic, from, partitions } = request;
  for (const [slot, partition] of partitions.entries()) {
    const behind = from[slot]!;
    const subjects = topicSubjects(topic, partition);
    if (page.until[slot]! > behind && !(await log.isIntact(subjects, { behind, ofRun: topic.kind === 'run' })))
      return false;
  }
  return true;
}
