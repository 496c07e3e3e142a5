import {
  DELIVERY_SLOT_MS,
  type DeliveryBucket,
  type DeliveryCounts,
  type DeliveryQuery,
  MAX_DELIVERY_WINDOW_MS,
} from '@toolstream/proto-events';
import { addCounts, emptyCounts } from './counts.ts';

/** The window, and the slot that it begins in the middle of. */
const SLOTS = MAX_DELIVERY_WINDOW_MS / DELIVERY_SLOT_MS + 1;

/**
 * What this process did in the last hour, counted in slots of ten seconds. Bounded: slots in which nothing happened are
 * not there, and a slot that is too old makes room for a new one.
 */
export class DeliveryRecorder {
  readonly #now: () => number;
  /** Begin of a slot → its counts, oldest first. */
  readonly #slots = new Map<number, DeliveryCounts>();
  #current: DeliveryCounts | undefined;
  #currentAt = Number.NEGATIVE_INFINITY;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Slots in memory. */
  get size(): number {
    return this.#slots.size;
  }

  /** Where to count what happens now. */
  get counts(): DeliveryCounts {
    const now = this.#now();
    if (this.#current && now >= this.#currentAt && now < this.#currentAt + DELIVERY_SLOT_MS) return this.#current;
    const at = now - (now % DELIVERY_SLOT_MS);
    const counts = this.#slots.get(at) ?? emptyCounts();
    this.#slots.set(at, counts);
    for (const old of this.#slots.keys()) {
      // A clock that was set back leaves slots of the future behind: they go first by age of entry.
      if (this.#slots.size <= SLOTS && old > now - MAX_DELIVERY_WINDOW_MS - DELIVERY_SLOT_MS) break;
      this.#slots.delete(old);
    }
    this.#current = counts;
    this.#currentAt = at;
    return counts;
  }

  /** The window that ends now, from the begin of the part that it begins in. */
  buckets({ window_ms, bucket_ms }: DeliveryQuery): DeliveryBucket[] {
    const now = this.#now();
    const from = now - window_ms;
    const begin = from - (from % bucket_ms);
    const buckets = new Map<number, DeliveryCounts>();
    for (const [at, counts] of this.#slots) {
      if (at < begin || at > now) continue;
      const bucketAt = at - (at % bucket_ms);
      const bucket = buckets.get(bucketAt) ?? emptyCounts();
      addCounts(bucket, counts);
      buckets.set(bucketAt, bucket);
    }
    return [...buckets].sort(([a], [b]) => a - b).map(([at, counts]) => ({ at: new Date(at).toISOString(), counts }));
  }
}
