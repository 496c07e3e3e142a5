import type { Priority } from '@toolstream/proto-events';

/** Of thirteen jobs taken while all three priorities wait, eight are high, four normal and one low. */
export const PRIORITY_WEIGHTS: Readonly<Record<Priority, number>> = { high: 8, normal: 4, low: 1 };

export interface Weighted {
  readonly priority: Priority;
  readonly bucket: number;
}

/**
 * Smooth weighted round robin over the priorities that have work, plain round robin over their buckets: no priority and
 * no tenant bucket ever starves, whatever the others queue.
 */
export class WeightedChoice<T extends Weighted> {
  readonly #credit: Record<Priority, number> = { high: 0, normal: 0, low: 0 };
  readonly #lastBucket: Record<Priority, number> = { high: -1, normal: -1, low: -1 };

  next(candidates: readonly T[]): T | undefined {
    let total = 0;
    let best: Priority | undefined;
    for (const priority of Object.keys(PRIORITY_WEIGHTS) as Priority[]) {
      if (!candidates.some((candidate) => candidate.priority === priority)) continue;
      const weight = PRIORITY_WEIGHTS[priority];
      total += weight;
      this.#credit[priority] += weight;
      if (best === undefined || this.#credit[priority] > this.#credit[best]) best = priority;
    }
    if (best === undefined) return undefined;
    this.#credit[best] -= total;
    return this.#nextBucket(best, candidates);
  }

  #nextBucket(priority: Priority, candidates: readonly T[]): T | undefined {
    const after = this.#lastBucket[priority];
    let chosen: T | undefined;
    const rank = (bucket: number) => (bucket > after ? bucket : bucket + 1_000_000);
    for (const candidate of candidates) {
      if (candidate.priority !== priority) continue;
      if (!chosen || rank(candidate.bucket) < rank(chosen.bucket)) chosen = candidate;
    }
    if (chosen) this.#lastBucket[priority] = chosen.bucket;
    return chosen;
  }
}
