import type { RunAddress } from '@toolstream/proto-events';
import { Feed, type FeedParts } from './feed.ts';
import { type Topic, topicKey } from './topic.ts';

/** A share in a feed. */
export class Lease {
  readonly feed: Feed;
  readonly #slot: Slot;
  #give: ((slot: Slot) => void) | undefined;

  constructor(feed: Feed, slot: Slot, give: (slot: Slot) => void) {
    this.feed = feed;
    this.#slot = slot;
    this.#give = give;
  }

  /** Once; again does nothing. */
  release(): void {
    const give = this.#give;
    this.#give = undefined;
    give?.(this.#slot);
  }
}

interface Slot {
  readonly key: string;
  feed: Promise<Feed | undefined>;
  leases: number;
  linger: NodeJS.Timeout | undefined;
}

/**
 * The feeds of this process: one per watched run or app, shared by all of its watchers, closed a few seconds after the last
 * one left (a page that reloads finds its feed and its ring again).
 */
export class Feeds {
  readonly #parts: FeedParts;
  readonly #lingerMs: number;
  readonly #slots = new Map<string, Slot>();

  constructor(parts: FeedParts, lingerMs: number) {
    this.#parts = parts;
    this.#lingerMs = lingerMs;
  }

  get size(): number {
    return this.#slots.size;
  }

  get ringBytes(): number {
    return this.#parts.ringBudget.used;
  }

  run(run: RunAddress): Promise<Lease | undefined> {
    return this.#acquire({ kind: 'run', run });
  }

  app(tenant: string, app: string): Promise<Lease> {
    return this.#acquire({ kind: 'app', tenant, app }) as Promise<Lease>;
  }

  close(): void {
    for (const slot of this.#slots.values()) {
      clearTimeout(slot.linger);
      void slot.feed.then(
        (feed) => feed?.close(),
        () => {},
      );
    }
    this.#slots.clear();
  }

  async #acquire(topic: Topic): Promise<Lease | undefined> {
    const key = topicKey(topic);
    const slot = this.#slots.get(key) ?? this.#open(key, topic);
    slot.leases++;
    clearTimeout(slot.linger);
    try {
      const feed = await slot.feed;
      if (!feed) {
        this.#drop(key, slot);
        return undefined;
      }
      if (feed.gone) {
        // The log was made anew without the run; perhaps it has it again.
        this.#drop(key, slot);
        feed.close();
        return await this.#acquire(topic);
      }
      return new Lease(feed, slot, this.#release);
    } catch (error) {
      this.#drop(key, slot);
      throw error;
    }
  }

  #open(key: string, topic: Topic): Slot {
    const slot: Slot = { key, feed: Feed.open(topic, this.#parts), leases: 0, linger: undefined };
    this.#slots.set(key, slot);
    return slot;
  }

  readonly #release = (slot: Slot): void => {
    if (--slot.leases > 0) return;
    slot.linger = setTimeout(() => {
      if (slot.leases > 0) return;
      this.#drop(slot.key, slot);
      void slot.feed.then((feed) => feed?.close());
    }, this.#lingerMs);
    slot.linger.unref();
  };

  #drop(key: string, slot: Slot): void {
    if (this.#slots.get(key) === slot) this.#slots.delete(key);
  }
}
