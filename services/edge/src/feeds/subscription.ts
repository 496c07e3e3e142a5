import { CURSOR_START, type SnapshotReason } from '@toolstream/proto-events';
import { asRefusal, Refusal } from '../problems.ts';
import { type CursorLog, furthest, type Positions, reaches, resolveCursor, samePositions } from './cursors.ts';
import type { Batch, Chunk, Entry } from './entry.ts';
import type { Feed, Member } from './feed.ts';
import { bytesOf, type Fold, folds, joinedEvent } from './folding.ts';
import { Frame } from './frame.ts';
import { HistoryHole } from './history.ts';
import { type Ledger, ladderOf, type SlowStep } from './ladder.ts';
import type { EdgeLog } from './log.ts';
import { topicNames } from './topic.ts';

/** A log that is made anew again and again while somebody joins it. */
const PLACE_TRIES = 5;

/** The client's side: a queue of bounded size, and whether it has room. */
export interface Outlet {
  write(chunk: Chunk): void;
  /** No room: nothing more is written until {@link Subscription.drained}. */
  readonly congested: boolean;
}

export interface SubscriptionOptions {
  readonly feed: Feed;
  readonly log: CursorLog & Pick<EdgeLog, 'refreshEpochs'>;
  readonly outlet: Outlet;
  /** Missed bytes, folded, up to which a slow client is sent what it missed; a quarter of it as it is. */
  readonly catchUpBytes: number;
  /** The subscription is over: the run ended, or it failed (then the client has been told). */
  onOver(failure: Refusal | undefined): void;
  onSnapshot?(reason: SnapshotReason): void;
  /** A client that does not keep up comes to this step. */
  onSlow?(step: Exclude<SlowStep, 'close'>): void;
  onFault(error: unknown): void;
}

/**
 * One client's place in a feed.
 *
 *   joining ─→ replaying ─→ in step ─→ over
 *                 ↑          │  ↑
 *                 │          ↓  │ what was missed is sent, folded
 *                 └─snapshot─ behind: the client's queue is full, or it does not acknowledge
 *
 * A client that replays is sent every event, at its own pace. One that had caught up and is behind costs nothing but its
 * place: what it misses stays in the ring that all share. From there (or from one page of the log) it is folded; where that
 * is still too much, or continuity cannot be proven, a snapshot goes on.
 *
 * What the client has is `cursor` (the last one it was sent) and `position` (the same as numbers). A frame shared by all is
 * written only when its `prev` is exactly that cursor; else the frame is made for this client. So the client can prove
 * that it misses nothing, whatever path its frames took.
 */
export class Subscription implements Member {
  readonly #options: SubscriptionOptions;
  readonly #feed: Feed;
  readonly #outlet: Outlet;
  /** The connection's: how its client acknowledges this. */
  ledger: Ledger | undefined;
  readonly #foldBytes: number;
  #position: Positions;
  #cursor = '';
  /** Where the log ended when this client came: once there it is caught up. */
  #target: Positions;
  #caughtUp = false;
  /** The cursor that it was caught up at. */
  #joined = '';
  /** Nothing is sent until the client acknowledges what it was sent. */
  #held = false;
  /** What the client misses is folded: it was too much, or it was held. */
  #behind = false;
  /** An asynchronous step (a read, a snapshot) is under way; what happens meanwhile waits in the ring. */
  #busy = false;
  /** Set while only a snapshot can go on. */
  #restart: { readonly reason: SnapshotReason } | undefined;
  #over = false;

  constructor(options: SubscriptionOptions) {
    this.#options = options;
    this.#feed = options.feed;
    this.#outlet = options.outlet;
    this.#foldBytes = ladderOf(options.catchUpBytes).foldBytes;
    this.#position = this.#feed.partitions.map(() => 0);
    this.#target = this.#position;
  }

  /** How a client's `positions` name it. */
  get name(): string {
    const { topic } = this.#feed;
    return topic.kind === 'run' ? topic.run.run : topic.app;
  }

  /** The last cursor that the client was sent. */
  get cursor(): string {
    return this.#cursor;
  }

  get position(): Positions {
    return this.#position;
  }

  /** When the last event that the client was sent happened, if it was sent as news. */
  get emittedAt(): number | undefined {
    if (!this.#caughtUp || this.#cursor === this.#joined) return undefined;
    return this.#feed.ring.at(this.#position)?.emittedAt;
  }

  /** Throws `bad_cursor` for what is no cursor; everything else is told on the subscription. */
  async start(cursor: string | undefined): Promise<void> {
    this.#busy = true;
    this.#feed.join(this, cursor === undefined ? 'snapshot' : cursor === CURSOR_START ? 'start' : 'cursor');
    try {
      const reason = await this.#place(cursor);
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
    if (this.#busy || this.#over || this.#held) return;
    if (!this.#caughtUp || this.#cursor !== first.prev || this.#outlet.congested) {
      this.#advance();
      return;
    }
    const last = batch.entries[batch.entries.length - 1]!;
    this.#outlet.write(batch);
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

  /** The client's queue has room again. Where it was only one turn's burst that filled it, the client is not slow. */
  drained(waited = true): void {
    if (this.#busy || this.#over || this.#held) return;
    if (waited && this.#caughtUp && !this.#restart) this.#weigh();
    this.#advance();
  }

  /** How late the client acknowledges; `undefined`: in time. */
  lags(step: Exclude<SlowStep, 'close'> | undefined): void {
    if (this.#over) return;
    this.#held = step !== undefined;
    if (!this.#held) this.drained();
    else if (!this.#caughtUp) return;
    else if (step === 'snapshot') this.#giveUp();
    else this.#fallBehind();
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#feed.leave(this);
  }

  /**
   * Joins the log that is there now: a cursor may be of an incarnation that this process, or this feed, has not heard of
   * yet, and must not be read as one of the incarnation before.
   */
  async #place(cursor: string | undefined): Promise<SnapshotReason | undefined> {
    for (let tries = 1; ; tries++) {
      await this.#feed.current();
      this.#restart = undefined;
      const reason = await this.#locate(cursor);
      if (reason === 'epoch' && tries === 1) await this.#options.log.refreshEpochs();
      else if (!this.#restart || tries > PLACE_TRIES) return reason;
    }
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
    if (this.#busy || this.#over || this.#held || this.#outlet.congested) return;
    const { ring } = this.#feed;
    if (this.#restart) {
      this.#step(() => this.#sendSnapshot());
      return;
    }
    if (!ring.covers(this.#position)) {
      this.#step(() => this.#sendHistory());
      return;
    }
    const missed = ring.after(this.#position);
    if (this.#behind) {
      for (const fold of folds([...missed])) {
        this.#sendFolded(fold);
        if (this.#outlet.congested) return;
      }
    } else {
      for (const entry of missed) {
        this.#send(entry);
        if (this.#outlet.congested) return;
      }
    }
    this.#settle();
  }

  /** What has the client missed while it had no room? */
  #weigh(): void {
    const { ring } = this.#feed;
    const { catchUpBytes } = this.#options;
    if (!ring.covers(this.#position)) {
      this.#fallBehind();
      return;
    }
    if (!this.#behind && ring.bytesAfter(this.#position) <= this.#foldBytes) return;
    this.#fallBehind();
    if (bytesOf(folds([...ring.after(this.#position)])) > catchUpBytes) this.#giveUp();
  }

  #fallBehind(): void {
    if (this.#behind || this.#restart) return;
    this.#behind = true;
    this.#options.onSlow?.('fold');
  }

  #giveUp(): void {
    if (this.#restart) return;
    this.#restart = { reason: 'slow' };
    this.#options.onSlow?.('snapshot');
  }

  /** Everything at hand is sent: says so once, and ends with the run. */
  #settle(): void {
    this.#behind = false;
    if (!this.#caughtUp && reaches(this.#position, this.#target)) {
      this.#caughtUp = true;
      this.#joined = this.#cursor;
      this.#target = this.#position;
      const names = topicNames(this.#feed.topic);
      this.#outlet.write(Frame.of({ type: 'caught_up', ...names, cursor: this.#cursor }));
    }
    const { end } = this.#feed;
    if (!end || !reaches(this.#position, end.positions)) return;
    this.#outlet.write(end.frame);
    this.#finish(undefined);
  }

  #send(entry: Entry): void {
    const outlet = this.#outlet;
    if (this.#cursor === entry.prev) {
      outlet.write(entry.frame);
      this.#position = entry.positions;
      this.#cursor = entry.cursor;
    } else {
      this.#sendOwn(entry, (prev, cursor) => entry.frameAfter(prev, cursor));
    }
    this.#sendEndOf(entry);
  }

  #sendFolded(fold: Fold): void {
    const newest = fold.entries.at(-1)!;
    if (fold.count === 1) {
      this.#send(newest);
      return;
    }
    this.#sendOwn(newest, (prev, cursor) => newest.foldedFrame(prev, cursor, fold.count, joinedEvent(fold)));
    this.#sendEndOf(newest);
  }

  /** A frame for this client alone, which leads from where it is to this entry. */
  #sendOwn(entry: Entry, frameOf: (prev: string, cursor: string) => Frame): void {
    const positions = furthest(this.#position, entry.positions);
    const cursor = samePositions(positions, entry.positions) ? entry.cursor : this.#feed.format(positions);
    this.#outlet.write(frameOf(this.#cursor, cursor));
    this.#position = positions;
    this.#cursor = cursor;
  }

  /** A run's own end is told by `#settle`, after `caught_up`. */
  #sendEndOf(entry: Entry): void {
    const end = this.#feed.topic.kind === 'app' ? entry.endAt(this.#cursor) : undefined;
    if (end) this.#outlet.write(end);
  }

  async #sendSnapshot(): Promise<void> {
    const restart = this.#restart!;
    const { reason } = restart;
    // Positions of another epoch say nothing about this one.
    const least = reason === 'epoch' ? this.#position.map(() => 0) : this.#position;
    const snapshot = await this.#feed.snapshots.at(least, reason);
    if (this.#over || this.#restart !== restart) return;
    this.#restart = undefined;
    this.#behind = false;
    this.#outlet.write(snapshot.frame);
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
    const missed = page.entries.filter((entry) => entry.seq > this.#position[entry.slot]!);
    if (this.#behind) {
      const folded = folds(missed);
      if (!this.#feed.ring.covers(page.until) || bytesOf(folded) > this.#options.catchUpBytes) return this.#giveUp();
      for (const fold of folded) this.#sendFolded(fold);
    } else {
      for (const entry of missed) this.#send(entry);
    }
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
    this.#outlet.write(Frame.of({ type: 'error', code: refusal.code, message: refusal.message, ...names }));
    this.#finish(refusal);
  }

  #finish(failure: Refusal | undefined): void {
    if (this.#over) return;
    this.close();
    this.#options.onOver(failure);
  }
}
