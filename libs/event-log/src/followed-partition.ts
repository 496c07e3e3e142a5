import { type Channel, ClosedError } from './channel.ts';
import { isIntact, obstacle } from './continuity.ts';
import type { FollowOptions, FollowStats, GapReason } from './follow-options.ts';
import { Merge } from './merge.ts';
import { Outbox } from './outbox.ts';
import { readFromLeader, readPages } from './read.ts';
import type { StoredEvent } from './stored-event.ts';
import type { StreamPositions } from './stream-positions.ts';

export interface PartitionOptions extends FollowOptions {
  partition: number;
  filter: string;
  from: number;
  fromIsEvent: boolean;
  /** The epoch that the caller's positions belong to. */
  epoch: () => string;
}

const CHECK_MS = 3_000;
const MAX_BUFFER = 10_000;
const RETRY_MS = 500;

/** One partition of a follower: runs the reads, feeds the merge, delivers what passes. */
export class FollowedPartition {
  readonly ready: Promise<void>;
  readonly stats: FollowStats = { checks: 0, repairs: 0, gaps: 0 };
  readonly #channel: Channel;
  readonly #positions: StreamPositions;
  readonly #options: Required<Pick<PartitionOptions, 'checkMs' | 'maxBuffer'>> & PartitionOptions;
  #merge: Merge<StoredEvent>;
  /** The merge whose gap was reported. */
  #failed: Merge<StoredEvent> | undefined;
  /** The next read is the first from a position that the caller gave. */
  #joining = true;
  #epoch: string;
  #reading = false;
  #holds = 0;
  /** Reads must come as far as this: nothing overtakes what it stands for. */
  #mustReach = 0;
  #slow = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #outbox: Outbox<StoredEvent>;
  #caughtUp: () => void = () => {};

  constructor(channel: Channel, positions: StreamPositions, options: PartitionOptions) {
    this.#channel = channel;
    this.#positions = positions;
    this.#options = { ...options, checkMs: options.checkMs ?? CHECK_MS, maxBuffer: options.maxBuffer ?? MAX_BUFFER };
    this.#epoch = options.epoch();
    this.#merge = new Merge(options.from, this.#options.maxBuffer);
    this.#outbox = new Outbox(
      (events) => options.onEvents(events, options.partition),
      () => this.#caughtUpWithReader(),
      (error) => {
        options.onError?.(error);
        this.stop();
      },
    );
    this.ready = new Promise((resolve) => {
      this.#caughtUp = resolve;
    });
  }

  get low(): number {
    return this.#merge.low;
  }

  live(event: StoredEvent): void {
    if (this.#stopped || this.#merge.gap) return;
    const proven = this.#options.isProven?.(event) ?? false;
    if (proven) {
      this.#mustReach = Math.max(this.#mustReach, event.seq);
      this.hold();
    }
    const held = this.#merge.holding;
    if (this.#merge.live(event)) this.#deliver([event]);
    else if (this.#merge.gap) this.#gap('passed');
    else if (this.#merge.holding && !held) {
      this.stats.repairs++;
      this.#options.onRepair?.({ partition: this.#options.partition, seq: this.#merge.low });
      this.sync();
    } else if (proven) this.sync();
  }

  /** The connection is lost, and with it perhaps live events: nothing passes until a read that begins from now on. */
  hold(): void {
    this.#holds++;
    this.#merge.hold();
  }

  continueFrom(seq: number): void {
    if (this.#stopped) return;
    this.#merge = new Merge(seq, this.#options.maxBuffer);
    this.#mustReach = 0;
    this.#joining = true;
    this.#epoch = this.#options.epoch();
    this.sync();
  }

  stop(): void {
    this.#stopped = true;
    this.#outbox.close();
    clearTimeout(this.#timer);
    this.#caughtUp();
  }

  /** Reads what lies behind the proven position; one read at a time, the one that runs looks again when it ends. */
  sync(): void {
    if (this.#reading || this.#stopped || this.#merge.gap) return;
    this.#reading = true;
    clearTimeout(this.#timer);
    const merge = this.#merge;
    this.#readUntilSettled(merge)
      .then(
        () => (merge.holding ? 0 : this.#options.checkMs * (0.75 + Math.random() / 2)),
        (error: unknown) => {
          this.#options.onError?.(error);
          if (error instanceof ClosedError) this.stop();
          return RETRY_MS;
        },
      )
      .then((pause) => {
        this.#reading = false;
        if (this.#stopped || this.#merge.gap) return;
        if (this.#merge !== merge) this.sync();
        else this.#timer = setTimeout(() => this.sync(), pause);
      })
      .catch((error: unknown) => this.#options.onError?.(error));
  }

  async #readUntilSettled(merge: Merge<StoredEvent>): Promise<void> {
    const { partition, filter, fromIsEvent, onCaughtUp } = this.#options;
    let through = 0;
    for (;;) {
      through = Math.max(through, this.#mustReach);
      this.stats.checks++;
      const holds = this.#holds;
      const standpoint = { partition, filter, low: merge.low, epoch: this.#epoch, joining: this.#joining, fromIsEvent };
      const reason = await obstacle(this.#channel, this.#positions, standpoint);
      if (this.#isOver(merge)) return;
      if (reason) return this.#gap(reason);
      this.#joining = false;

      for await (const page of readPages(this.#channel, filter, { partition, from: merge.proven + 1 })) {
        if (this.#isOver(merge)) return;
        if (!(await this.#isIntact(merge, page.events))) return this.#gap('purged');
        if (this.#isOver(merge)) return;
        this.#deliver(merge.page(page.events, page.pending > 0));
        if (merge.gap) return this.#gap('passed');
        await this.#outbox.emptied();
      }
      if (this.#isOver(merge)) return;
      if (through > merge.low) {
        const bounds = { partition, from: merge.low + 1, through };
        for await (const event of readFromLeader(this.#channel, filter, bounds)) {
          if (this.#isOver(merge)) return;
          this.#deliver(merge.page([event], true));
          await this.#outbox.emptied();
        }
        merge.provenThrough(through);
      }
      // A reader that cannot keep up is waited for before more live events may pass.
      await this.#outbox.emptied();
      if (this.#isOver(merge)) return;
      if (this.#holds !== holds) continue;
      const held = merge.holding;
      const { pass, missing } = merge.settle();
      this.#deliver(pass);
      if (merge.gap) return this.#gap('passed');
      await this.#outbox.emptied();
      if (this.#isOver(merge)) return;
      if (missing !== undefined) {
        through = missing;
        continue;
      }
      if (!held) return;
      this.#caughtUp();
      onCaughtUp?.({ partition, seq: merge.low });
      return;
    }
  }

  /**
   * Only what a read brings may have a purge in it: what passes live is chained to the event before it. Who begins at the
   * start begins with whatever there is.
   */
  async #isIntact(merge: Merge<StoredEvent>, page: readonly StoredEvent[]): Promise<boolean> {
    if (merge.low === 0 || (page.at(-1)?.seq ?? 0) <= merge.low) return true;
    // Live events would overtake the page meanwhile.
    merge.hold();
    const { partition, filter, fromIsEvent } = this.#options;
    return isIntact(this.#channel, this.#positions, { partition, filter, low: merge.low, fromIsEvent });
  }

  #isOver(merge: Merge<StoredEvent>): boolean {
    return this.#stopped || this.#merge !== merge || merge.gap;
  }

  /** A live event and a read may both find it: it is reported once. */
  #gap(reason: GapReason): void {
    const merge = this.#merge;
    if (this.#failed === merge) return;
    this.#failed = merge;
    merge.fail();
    this.stats.gaps++;
    clearTimeout(this.#timer);
    const { partition, onGapUnhealable } = this.#options;
    void this.#outbox.emptied().then(() => {
      if (!this.#stopped && this.#merge === merge) onGapUnhealable(reason, { partition, seq: merge.low });
    });
  }

  #deliver(events: readonly StoredEvent[]): void {
    this.#outbox.push(events);
    // The reader is slower than the tail: let live events wait where they can be forgotten and read again.
    if (this.#outbox.size <= this.#options.maxBuffer) return;
    this.#slow = true;
    this.#merge.hold();
  }

  #caughtUpWithReader(): void {
    if (!this.#slow) return;
    this.#slow = false;
    this.sync();
  }
}
