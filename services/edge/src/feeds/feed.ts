import type { Follower, GapReason, StoredEvent } from '@toolstream/event-log';
import { formatCursors, type RunStatus, runSubject, type SnapshotReason } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import { furthest, type Positions, reaches } from './cursors.ts';
import { Batch, Entry, endFrame, endStatus } from './entry.ts';
import type { Flusher } from './flusher.ts';
import type { Frame } from './frame.ts';
import { type HistoryPage, readHistory } from './history.ts';
import type { EdgeLog } from './log.ts';
import { Pace } from './pace.ts';
import { Ring, type RingBudget, type RingLimits } from './ring.ts';
import { Snapshots, type StateSource } from './snapshots.ts';
import { type Topic, topicNames, topicPartitions, topicSubjects } from './topic.ts';

export interface FeedParts {
  readonly log: EdgeLog;
  readonly flusher: Flusher;
  readonly logger: Logger;
  readonly ringLimits: RingLimits;
  readonly ringBudget: RingBudget;
  sourceOf(topic: Topic): StateSource<unknown>;
  readonly observer: FeedObserver;
}

/** How a subscription begins: with a snapshot, with the whole history, or behind a cursor. */
export type Beginning = 'snapshot' | 'start' | 'cursor';

/** Who counts what feeds do. */
export interface FeedObserver {
  /** Milliseconds from the storing of an event that came live to its relay. */
  delivered(lagMs: number): void;
  joined(beginning: Beginning): void;
  /** Live events were lost on the way: `repaired` from the log unseen, or every member was given a snapshot. */
  gap(outcome: 'repaired' | 'snapshot'): void;
  /** A page of history was read from the log. */
  read(): void;
}

/** One client's subscription, as its feed sees it. */
export interface Member {
  /** Everything that was relayed since the last call. Whoever is in step writes the batch; others look into the ring. */
  receive(batch: Batch): void;
  /** Continuity is lost: only a snapshot can go on. */
  restart(reason: SnapshotReason): void;
  /** What the feed relays no longer exists. */
  gone(): void;
}

export interface RunEnd {
  readonly positions: Positions;
  readonly frame: Frame;
}

/** Pages of history that are kept for a moment, so that clients which come back together share them. */
const PAGES_KEPT = 8;
const PAGE_KEPT_MS = 2_000;
const REOPEN_DELAY_MS = 500;
/** A burst is handed over in batches of at most about this much: who cannot take them falls back on the ring. */
const BATCH_ENTRIES = 128;
const BATCH_BYTES = 128 * 1024;

/**
 * The relay of one run or app within this process: one reader of the log, whatever number of clients watches. It begins at
 * the log's present end; what is older is read when somebody asks. Events are relayed in strictly growing order per
 * partition, framed once, and kept in a bounded ring.
 */
export class Feed {
  readonly topic: Topic;
  readonly partitions: readonly number[];
  readonly snapshots: Snapshots<unknown>;
  readonly #parts: FeedParts;
  readonly #members = new Set<Member>();
  readonly #ring: Ring;
  readonly #pace: Pace;
  readonly #pages = new Map<string, Promise<HistoryPage>>();
  #head: Positions;
  #headCursor = '';
  #end: RunEnd | undefined;
  #pending: Entry[] = [];
  #pendingBytes = 0;
  #follower: Follower | undefined;
  /** Of the log that this feed relays; the process may have heard of a newer one already. */
  #epochs: readonly string[] = [];
  #reopening: Promise<void> | undefined;
  #gone = false;
  #closed = false;

  /** `undefined` when the run is not in the log. An app exists as soon as somebody asks for it. */
  static async open(topic: Topic, parts: FeedParts): Promise<Feed | undefined> {
    const start = await findStart(topic, parts.log);
    return start && new Feed(topic, parts, start);
  }

  private constructor(topic: Topic, parts: FeedParts, start: Start) {
    this.topic = topic;
    this.#parts = parts;
    this.partitions = topicPartitions(topic, parts.log.partitions);
    this.#head = start.positions;
    this.#pace = new Pace(parts.flusher);
    this.#ring = new Ring(start.positions, parts.ringLimits, parts.ringBudget);
    this.snapshots = new Snapshots(parts.sourceOf(topic), {
      head: () => this.#head,
      ring: () => this.#ring,
      format: (positions) => this.format(positions),
      names: topicNames(topic),
    });
    this.#begin(start);
  }

  get ring(): Ring {
    return this.#ring;
  }

  /** The last event relayed, per partition. */
  get head(): Positions {
    return this.#head;
  }

  get headCursor(): string {
    return this.#headCursor;
  }

  /** Set when the run has ended: nothing follows it. */
  get end(): RunEnd | undefined {
    return this.#end;
  }

  get members(): number {
    return this.#members.size;
  }

  format(positions: Positions): string {
    if (positions.length === 1) return `${this.#epochs[0]}.${this.partitions[0]}:${positions[0]}`;
    return formatCursors(
      this.partitions.map((partition, slot) => ({ epoch: this.#epochs[slot]!, partition, seq: positions[slot]! })),
    );
  }

  /** The run is no more: who asks for it needs another feed. */
  get gone(): boolean {
    return this.#gone;
  }

  /** Resolves when this feed relays the newest incarnation of the log that the process has heard of. */
  async current(): Promise<void> {
    if (!this.#currentEpochs().every((epoch, slot) => epoch === this.#epochs[slot])) this.#reopen('epoch');
    await this.#reopening;
  }

  join(member: Member, beginning: Beginning): void {
    this.#members.add(member);
    this.#parts.observer.joined(beginning);
  }

  leave(member: Member): void {
    this.#members.delete(member);
  }

  /**
   * Entries after `position`, oldest first, at most one page of them. Clients that ask for the same page share one read; a
   * page that reaches the ring is put in front of it.
   */
  history(position: Positions): Promise<HistoryPage> {
    const key = this.format(position);
    const known = this.#pages.get(key);
    if (known !== undefined) return known;
    const page = this.#readPage(position);
    if (this.#pages.size < PAGES_KEPT) {
      this.#pages.set(key, page);
      const forget = () => this.#pages.delete(key);
      page.then(() => setTimeout(forget, PAGE_KEPT_MS).unref(), forget);
    }
    return page;
  }

  close(): void {
    this.#closed = true;
    this.#follower?.stop();
    this.#pace.stop();
    this.#pages.clear();
    this.#pending = [];
    this.#ring.clear(this.#head);
  }

  #begin(start: Start): void {
    this.#epochs = this.#currentEpochs();
    this.#head = start.positions;
    this.#headCursor = this.format(start.positions);
    this.#end = start.end && { positions: start.positions, frame: this.#endFrame(this.#headCursor, start.end) };
    if (this.#end) return;
    const topic = this.topic;
    const follower: Follower = this.#parts.log.follow({
      run: topic.kind === 'run' ? topic.run : { tenant: topic.tenant, app: topic.app },
      from: Object.fromEntries(this.partitions.map((partition, slot) => [partition, start.positions[slot]!])),
      onEvents: (events) => this.#relay(events),
      // With its end this feed stops looking for what got lost.
      isProven: (event) => topic.kind === 'run' && endStatus(event.type) !== undefined,
      onGapUnhealable: (reason) => {
        if (this.#follower === follower) this.#reopen(reason);
      },
      onRepair: () => this.#parts.observer.gap('repaired'),
      onError: (error) => this.#parts.logger.debug({ error, topic }, 'a feed has trouble reading and tries again'),
    });
    this.#follower = follower;
  }

  #relay(events: readonly StoredEvent[]): void {
    if (this.#closed || this.#end) return;
    const { topic } = this;
    const app = topic.kind === 'app' ? topic.app : undefined;
    for (const event of events) {
      if (event.lastSeq !== undefined && event.time !== undefined)
        this.#parts.observer.delivered(Date.now() - event.time);
      const run = topic.kind === 'run' ? topic.run.run : event.address().run;
      const slot = this.partitions.length === 1 ? 0 : this.partitions.indexOf(event.address().partition);
      if (slot < 0 || event.seq <= this.#head[slot]!) continue;
      const positions = this.#head.length === 1 ? [event.seq] : this.#head.with(slot, event.seq);
      const cursor = this.format(positions);
      const entry = new Entry(
        { slot, prev: this.#headCursor, cursor, positions, app },
        { seq: event.seq, type: event.type, run, data: event.data },
      );
      this.#ring.push(entry);
      if (this.#pending.push(entry) === 1) this.#pace.schedule(this.#members.size, this.#flush);
      this.#head = positions;
      this.#headCursor = cursor;
      this.#pendingBytes += entry.bytes;
      if (this.#pending.length >= BATCH_ENTRIES || this.#pendingBytes >= BATCH_BYTES) this.#flush();
      if (entry.end && topic.kind === 'run') {
        this.#end = { positions, frame: entry.end };
        this.#follower?.stop();
        break;
      }
    }
  }

  readonly #flush = (): void => {
    if (this.#pending.length === 0) return;
    const batch = new Batch(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (const member of this.#members) member.receive(batch);
  };

  async #readPage(position: Positions): Promise<HistoryPage> {
    const until = this.#head.map((seq, slot) => this.#ring.oldest(slot) ?? seq);
    this.#parts.observer.read();
    const epochs = this.#epochs;
    const page = await readHistory(this.#parts.log, {
      from: position,
      until,
      topic: this.topic,
      partitions: this.partitions,
      format: (positions) => this.format(positions),
    });
    const { floor } = this.#ring;
    // Begun before this feed started again: another incarnation's entries, for readers that were told to start again too.
    if (epochs !== this.#epochs) return page;
    if (page.complete && reaches(floor, position) && reaches(page.until, floor)) {
      const older = page.entries.filter((entry) => entry.seq <= floor[entry.slot]!);
      // An entry stands for all that comes before it in its page: with one of those left out, because the ring has it further
      // back, it would say that a reader has what is yet to come.
      if (older.every((entry, at) => entry === page.entries[at])) this.#ring.extend(older, position);
    }
    return page;
  }

  #endFrame(cursor: string, status: RunStatus): Frame {
    return endFrame(this.topic.kind === 'run' ? this.topic.run.run : '', undefined, cursor, status);
  }

  /** Starts again at the log's present end; every member gets a snapshot that says why. */
  #reopen(reason: GapReason): void {
    if (this.#reopening !== undefined || this.#closed || this.#gone) return;
    this.#follower?.stop();
    this.#reopening = this.#startAgain(reason).finally(() => {
      this.#reopening = undefined;
    });
  }

  async #startAgain(reason: GapReason): Promise<void> {
    this.#parts.logger.warn({ topic: this.topic, reason }, 'a feed lost continuity and starts again');
    this.#parts.observer.gap('snapshot');
    let start: Start | undefined;
    for (;;) {
      try {
        await this.#parts.log.refreshEpochs();
        start = await findStart(this.topic, this.#parts.log);
        break;
      } catch (error) {
        this.#parts.logger.warn({ error, topic: this.topic }, 'a feed cannot start again yet');
        await new Promise((resolve) => setTimeout(resolve, REOPEN_DELAY_MS));
        if (this.#closed) return;
      }
    }
    if (this.#closed) return;
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#pages.clear();
    this.snapshots.reset();
    if (!start) {
      this.#gone = true;
      for (const member of [...this.#members]) member.gone();
      return;
    }
    const sameLog = reason !== 'epoch' && this.#currentEpochs().every((epoch, slot) => epoch === this.#epochs[slot]);
    // A cursor only ever grows within one epoch.
    const positions = sameLog && !start.end ? furthest(start.positions, this.#head) : start.positions;
    this.#ring.clear(positions);
    this.#begin({ ...start, positions });
    for (const member of [...this.#members]) member.restart(sameLog ? 'gap' : 'epoch');
  }

  #currentEpochs(): string[] {
    return this.partitions.map((partition) => this.#parts.log.epoch(partition));
  }
}

interface Start {
  readonly positions: Positions;
  readonly end: RunStatus | undefined;
}

/** Where the log of this topic ends now, as its leader knows it, and whether the run has ended. */
async function findStart(topic: Topic, log: EdgeLog): Promise<Start | undefined> {
  const partitions = topicPartitions(topic, log.partitions);
  const lasts = await Promise.all(
    partitions.map((partition) => log.lastOf(topicSubjects(topic, partition), { leader: true })),
  );
  const positions = lasts.map((last) => last?.seq ?? 0);
  if (topic.kind === 'app') return { positions, end: undefined };
  const [last] = lasts;
  if (!last) return undefined;
  // A tool's event after the run's end would be a zombie's that was not fenced; it must not hide the end.
  const onRun = last.address().writer === 'run' ? last : await log.lastOf(runSubject(topic.run), { leader: true });
  // The run may have ended between the two questions: its end is then what the feed begins at.
  return { positions: furthest(positions, [onRun?.seq ?? 0]), end: onRun && endStatus(onRun.type) };
}
