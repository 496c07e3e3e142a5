import { type Positions, reaches, samePositions } from './cursors.ts';
import type { Entry } from './entry.ts';

export interface RingLimits {
  readonly entries: number;
  readonly bytes: number;
}

/** Memory that all rings of a process share: beyond it every ring keeps only a little. */
export class RingBudget {
  readonly #limit: number;
  used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get exhausted(): boolean {
    return this.used > this.#limit;
  }
}

/** Bytes that a ring keeps while the shared budget is exhausted. */
const FRUGAL_BYTES = 64 * 1024;

/**
 * The newest entries of a feed, without a hole: everything above `floor` and up to the feed's head is here. What falls out
 * at the old end raises the floor; who needs more reads the log.
 */
export class Ring {
  readonly #limits: RingLimits;
  readonly #budget: RingBudget;
  #entries: (Entry | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  #floor: Positions;

  constructor(floor: Positions, limits: RingLimits, budget: RingBudget) {
    this.#floor = floor;
    this.#limits = limits;
    this.#budget = budget;
  }

  get floor(): Positions {
    return this.#floor;
  }

  get size(): number {
    return this.#entries.length - this.#first;
  }

  get bytes(): number {
    return this.#bytes;
  }

  covers(position: Positions): boolean {
    return reaches(position, this.#floor);
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#count(entry.bytes);
    const bytes = this.#budget.exhausted ? FRUGAL_BYTES : this.#limits.bytes;
    while (this.size > 1 && (this.size > this.#limits.entries || this.#bytes > bytes)) this.#evict();
  }

  /** Puts older entries in front, if all of them fit: they begin after `floor` and end right before the oldest one here. */
  extend(older: readonly Entry[], floor: Positions): void {
    const bytes = older.reduce((sum, entry) => sum + entry.bytes, 0);
    if (this.size + older.length > this.#limits.entries || this.#bytes + bytes > this.#limits.bytes) return;
    if (this.#budget.exhausted) return;
    this.#entries = [...older, ...this.#entries.slice(this.#first)];
    this.#first = 0;
    this.#count(bytes);
    this.#floor = floor;
  }

  /** Entries that a reader at `position` has not had, oldest first. Only for positions that the ring covers. */
  *after(position: Positions): Generator<Entry> {
    for (let at = this.#start(position); at < this.#entries.length; at++) {
      const entry = this.#entries[at]!;
      if (entry.seq > position[entry.slot]!) yield entry;
    }
  }

  bytesAfter(position: Positions): number {
    let sum = 0;
    for (const entry of this.after(position)) sum += entry.bytes;
    return sum;
  }

  /** The entry that brought a reader to `position`, if it is still here. Readers are looked for near the head. */
  at(position: Positions): Entry | undefined {
    for (let at = this.#entries.length - 1; at >= this.#first; at--) {
      if (samePositions(this.#entries[at]!.positions, position)) return this.#entries[at];
    }
    return undefined;
  }

  /** The oldest sequence of a partition that is here. */
  oldest(slot: number): number | undefined {
    for (let at = this.#first; at < this.#entries.length; at++) {
      if (this.#entries[at]!.slot === slot) return this.#entries[at]!.seq;
    }
    return undefined;
  }

  clear(floor: Positions): void {
    this.#count(-this.#bytes);
    this.#entries = [];
    this.#first = 0;
    this.#floor = floor;
  }

  /** With one partition the entries are sorted by sequence; with several only a scan tells. */
  #start(position: Positions): number {
    if (position.length > 1) return this.#first;
    let low = this.#first;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#entries[middle]!.seq <= position[0]!) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #evict(): void {
    const entry = this.#entries[this.#first]!;
    this.#first++;
    this.#count(-entry.bytes);
    this.#floor = entry.positions;
    if (this.#first >= 256 && this.#first * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#first);
      this.#first = 0;
    } else {
      this.#entries[this.#first - 1] = undefined;
    }
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#budget.used += bytes;
  }
}
