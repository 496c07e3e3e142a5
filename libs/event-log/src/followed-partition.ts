import { eventStream } from '@toolstream/proto-events';
import { type Channel, ClosedError } from './channel.ts';
import type { FollowOptions, FollowStats, GapReason } from './follow-options.ts';
import { leaderMessage } from './leader.ts';
import { Merge } from './merge.ts';
import { READ_TIMEOUT_MS, readFromLeader, readPages } from './read.ts';
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
  /** The next read is the first from a position that the caller gave. */
  #joining = true;
  #epoch: string;
  #reading = false;
  #holds = 0;
  #slow = false;
  #stopped = false;
  #timer: NodeJS.Timeout | undefined;
  #outbox: StoredEvent[] = [];
  #delivering: Promise<void> | undefined;
  #caughtUp: () => void = () => {};

  constructor(channel: Channel, positions: StreamPositions, options: PartitionOptions) {
    this.#channel = channel;
    this.#positions = positions;
    this.#options = { ...options, checkMs: options.checkMs ?? CHECK_MS, maxBuffer: options.maxBuffer ?? MAX_BUFFER };
    this.#epoch = options.epoch();
    this.#merge = new Merge(options.from, this.#options.maxBuffer);
    this.ready = new Promise((resolve) => {
      this.#caughtUp = resolve;
    });
  }

  get low(): number {
    return this.#merge.low;
  }

  live(event: StoredEvent): void {
    if (this.#stopped || this.#merge.gap) return;
    const held = this.#merge.holding;
    if (this.#merge.live(event)) void this.#deliver([event]);
    else if (this.#merge.gap) this.#gap('passed');
    else if (this.#merge.holding && !held) {
      this.stats.repairs++;
      this.sync();
    }
  }

  /** The connection is lost, and with it perhaps live events: nothing passes until a read that begins from now on. */
  hold(): void {
    this.#holds++;
    this.#merge.hold();
  }

  continueFrom(seq: number): void {
    if (this.#stopped) return;
    this.#merge = new Merge(seq, this.#options.maxBuffer);
    this.#joining = true;
    this.#epoch = this.#options.epoch();
    this.sync();
  }

  stop(): void {
    this.#stopped = true;
    this.#outbox = [];
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
    const { partition, filter, onCaughtUp } = this.#options;
    let through = 0;
    for (;;) {
      this.stats.checks++;
      const holds = this.#holds;
      const reason = await this.#cannotContinue(merge);
      if (this.#isOver(merge)) return;
      if (reason) return this.#gap(reason);

      for await (const page of readPages(this.#channel, filter, { partition, from: merge.proven + 1 })) {
        if (this.#isOver(merge)) return;
        await this.#deliver(merge.page(page.events, page.pending > 0));
        if (merge.gap) return this.#gap('passed');
      }
      if (through > merge.low) {
        const bounds = { partition, from: merge.low + 1, through };
        for await (const event of readFromLeader(this.#channel, filter, bounds)) {
          if (this.#isOver(merge)) return;
          await this.#deliver(merge.page([event], true));
        }
        merge.provenThrough(through);
      }
      // A reader that cannot keep up is waited for before more live events may pass.
      await this.#delivering;
      if (this.#isOver(merge)) return;
      if (this.#holds !== holds) continue;
      const held = merge.holding;
      const { pass, missing } = merge.settle();
      const delivered = this.#deliver(pass);
      if (merge.gap) return this.#gap('passed');
      await delivered;
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

  #isOver(merge: Merge<StoredEvent>): boolean {
    return this.#stopped || this.#merge !== merge || merge.gap;
  }

  /** Why the stream cannot continue from where we are, if it cannot. */
  async #cannotContinue(merge: Merge<StoredEvent>): Promise<GapReason | undefined> {
    const { partition, filter, fromIsEvent } = this.#options;
    const { low } = merge;
    const { epoch, first, last } = await this.#positions.get(partition);
    if (epoch !== this.#epoch || last < low) return 'epoch';
    if (!this.#joining || merge.low === 0) {
      this.#joining = false;
      return undefined;
    }
    if (fromIsEvent) {
      const query = { seq: merge.low, next_by_subj: filter };
      const at = await leaderMessage(this.#channel, eventStream(partition), query, READ_TIMEOUT_MS);
      if (at?.seq !== merge.low) return 'purged';
    } else if (first > merge.low + 1) {
      return 'purged';
    }
    this.#joining = false;
    return undefined;
  }

  #gap(reason: GapReason): void {
    this.stats.gaps++;
    this.#merge.fail();
    clearTimeout(this.#timer);
    const { partition, onGapUnhealable } = this.#options;
    const merge = this.#merge;
    void (this.#delivering ?? Promise.resolve()).then(() => {
      if (!this.#stopped && this.#merge === merge) onGapUnhealable(reason, { partition, seq: merge.low });
    });
  }

  /** Queues events for delivery; the promise is the end of the delivery that includes them. */
  #deliver(events: readonly StoredEvent[]): Promise<void> | undefined {
    if (events.length === 0) return undefined;
    this.#outbox.push(...events);
    // The reader is slower than the tail: let live events wait where they can be forgotten and read again.
    if (this.#outbox.length > this.#options.maxBuffer) {
      this.#slow = true;
      this.#merge.hold();
    }
    this.#delivering ??= this.#drainOutbox();
    return this.#delivering;
  }

  async #drainOutbox(): Promise<void> {
    // Events of one network chunk make one batch.
    await undefined;
    const { onEvents, onError, partition } = this.#options;
    try {
      while (this.#outbox.length > 0 && !this.#stopped) {
        const batch = this.#outbox;
        this.#outbox = [];
        await onEvents(batch, partition);
      }
    } catch (error) {
      onError?.(error);
      this.stop();
    } finally {
      this.#delivering = undefined;
    }
    if (!this.#slow) return;
    this.#slow = false;
    this.sync();
  }
}
