import { CURSOR_START, type SnapshotReason } from '@toolstream/proto-events';
import { asRefusal, Refusal } from '../problems.ts';
import { type CursorLog, furthest, type Positions, reaches, resolveCursor, samePositions } from './cursors.ts';
import type { Batch, Chunk, Entry } from './entry.ts';
import type { Feed, Member } from './feed.ts';
import { Frame } from './frame.ts';
import { HistoryHole } from './history.ts';
import { topicNames } from './topic.ts';

/** The client's side: a queue of bounded size, and whether it has room. */
export interface Outlet {
  write(chunk: Chunk): void;
  /** No room: nothing more is written until {@link Subscription.drained}. */
  readonly congested: boolean;
}

export interface SubscriptionOptions {
  readonly feed: Feed;
  readonly log: CursorLog;
  readonly outlet: Outlet;
  /** Missed bytes up to which a client that was slow is simply sent what it missed. */
  readonly catchUpBytes: number;
  /** The subscription is over: the run ended, or it failed (then the client has been told). */
  onOver(failure: Refusal | undefined): void;
  onSnapshot?(reason: SnapshotReason): void;
  onFault(error: unknown): void;
}

/**
 * One client's place in a feed.
 *
 *   joining ─→ replaying ─→ in step ─→ over
 *                 ↑  ↖───────  │ the client's queue is full, or continuity was lost
 *                 └── snapshot ←┘ too much was missed, or it cannot be proven gapless
 *
 * What the client has is `cursor` (the last one it was sent) and `position` (the same as numbers). A frame shared by all is
 * written only when its `prev` is exactly that cursor; else the frame is made for this client. So the client can prove
 * that it misses nothing, whatever path its frames took.
 */
export class Subscription implements Member {
  readonly #options: SubscriptionOptions;
  readonly #feed: Feed;
  #position: Positions;
  #cursor = '';
  /** Where the log ended when this client came: once there it is caught up. */
  #target: Positions;
  #caughtUp = false;
  /** An asynchronous step (a read, a snapshot) is under way; what happens meanwhile waits in the ring. */
  #busy = false;
  /** Set while only a snapshot can go on. */
  #restart: { readonly reason: SnapshotReason } | undefined;
  #over = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#position = this.#feed.partitions.map(() => 0);
    this.#target = this.#position;
  }

  /** The last cursor that the client was sent. */
  get cursor(): string {
    return this.#cursor;
  }

  get position(): Positions {
    return this.#position;
  }

  /** Throws `bad_cursor` for what is no cursor; everything else is told on the subscription. */
  async start(cursor: string | undefined): Promise<void> {
    this.#busy = true;
    this.#feed.join(this);
    try {
      const reason = await this.#locate(cursor);
      if (reason) this.#restart ??= { reason };
      else this.#target = this.#feed.head;
    } catch (error) {
      this.close();
      throw error;
    } finally {
      this.#busy = false;
    }
    this.#advance();
  }

  receive(batch: Batch): void {
    const first = batch.entries[0]!;
    if (this.#busy || this.#over) return;
    if (!this.#caughtUp || this.#cursor !== first.prev || this.#options.outlet.congested) {
      this.#advance();
      return;
    }
    const last = batch.entries[batch.entries.length - 1]!;
    this.#options.outlet.write(batch);
    this.#position = last.positions;
    this.#cursor = last.cursor;
    if (last.end && this.#feed.end) this.#finish(undefined);
  }

  restart(reason: SnapshotReason): void {
    this.#restart = { reason: this.#restart?.reason === 'epoch' ? 'epoch' : reason };
    this.#advance();
  }

  gone(): void {
    this.#fail(new Refusal('not_found'));
  }

  /** The client's queue has room again. */
  drained(): void {
    if (this.#busy || this.#over) return;
    if (this.#caughtUp && !this.#restart) {
      const { ring } = this.#feed;
      const missed = ring.covers(this.#position) ? ring.bytesAfter(this.#position) : Number.POSITIVE_INFINITY;
      if (missed > this.#options.catchUpBytes) this.#restart = { reason: 'slow' };
    }
    this.#advance();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#feed.leave(this);
  }

  /** Sets the position that the cursor stands for; returns why it takes a snapshot instead. */
  async #locate(cursor: string | undefined): Promise<SnapshotReason | undefined> {
    if (cursor === undefined) return 'cold';
    if (cursor === CURSOR_START) {
      this.#cursor = this.#feed.format(this.#position);
      return undefined;
    }
    const resolved = await resolveCursor(this.#options.log, this.#feed.partitions, cursor, this.#feed.head);
    if (resolved.ok) {
      this.#position = resolved.positions;
      this.#cursor = this.#feed.format(resolved.positions);
      return undefined;
    }
    if (resolved.reason === 'malformed') throw new Refusal('bad_cursor');
    return 'epoch';
  }

  /** Goes on as far as the client's queue and what is at hand allow. Called whenever either may have changed. */
  #advance(): void {
    if (this.#busy || this.#over || this.#options.outlet.congested) return;
    const { ring } = this.#feed;
    if (this.#restart) {
      this.#step(() => this.#sendSnapshot());
      return;
    }
    if (!ring.covers(this.#position)) {
      this.#step(() => this.#sendHistory());
      return;
    }
    for (const entry of ring.after(this.#position)) {
      this.#send(entry);
      if (this.#options.outlet.congested) return;
    }
    this.#settle();
  }

  /** Everything at hand is sent: says so once, and ends with the run. */
  #settle(): void {
    if (!this.#caughtUp && reaches(this.#position, this.#target)) {
      this.#caughtUp = true;
      const names = topicNames(this.#feed.topic);
      this.#options.outlet.write(Frame.of({ type: 'caught_up', ...names, cursor: this.#cursor }));
    }
    const { end } = this.#feed;
    if (!end || !reaches(this.#position, end.positions)) return;
    this.#options.outlet.write(end.frame);
    this.#finish(undefined);
  }

  #send(entry: Entry): void {
    const { outlet } = this.#options;
    if (this.#cursor === entry.prev) {
      outlet.write(entry.frame);
      this.#position = entry.positions;
      this.#cursor = entry.cursor;
    } else {
      const positions = furthest(this.#position, entry.positions);
      const cursor = samePositions(positions, entry.positions) ? entry.cursor : this.#feed.format(positions);
      outlet.write(entry.frameAfter(this.#cursor, cursor));
      this.#position = positions;
      this.#cursor = cursor;
    }
    // A run's own end is told by `#settle`, after `caught_up`.
    if (entry.end && this.#feed.topic.kind === 'app') outlet.write(entry.end);
  }

  async #sendSnapshot(): Promise<void> {
    const restart = this.#restart!;
    const { reason } = restart;
    // Positions of another epoch say nothing about this one.
    const least = reason === 'epoch' ? this.#position.map(() => 0) : this.#position;
    const snapshot = await this.#feed.snapshots.at(least, reason);
    if (this.#over || this.#restart !== restart) return;
    this.#restart = undefined;
    this.#options.outlet.write(snapshot.frame);
    this.#options.onSnapshot?.(reason);
    this.#position = snapshot.positions;
    this.#cursor = snapshot.cursor;
    this.#target = furthest(this.#feed.head, snapshot.positions);
    this.#caughtUp = false;
  }

  async #sendHistory(): Promise<void> {
    const page = await this.#feed.history(this.#position).catch((error: unknown) => {
      if (!(error instanceof HistoryHole)) throw error;
      this.#restart ??= { reason: 'gap' };
      return undefined;
    });
    if (this.#over || this.#restart || !page) return;
    for (const entry of page.entries) if (entry.seq > this.#position[entry.slot]!) this.#send(entry);
    this.#position = furthest(this.#position, page.until);
  }

  #step(step: () => Promise<void>): void {
    this.#busy = true;
    step().then(
      () => {
        this.#busy = false;
        this.#advance();
      },
      (error: unknown) => {
        this.#busy = false;
        const refusal = asRefusal(error);
        if (refusal.code === 'internal') this.#options.onFault(error);
        this.#fail(refusal);
      },
    );
  }

  #fail(refusal: Refusal): void {
    if (this.#over) return;
    const names = topicNames(this.#feed.topic);
    this.#options.outlet.write(Frame.of({ type: 'error', code: refusal.code, message: refusal.message, ...names }));
    this.#finish(refusal);
  }

  #finish(failure: Refusal | undefined): void {
    if (this.#over) return;
    this.close();
    this.#options.onOver(failure);
  }
}
