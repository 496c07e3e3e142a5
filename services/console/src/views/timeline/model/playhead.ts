import type { Columns } from './columns.ts';

/** On the screen no wait lasts longer than this. */
const LONGEST_WAIT_MS = 1_000;

/** Moves through a run's events as they happened, faster, and over long waits quickly. */
export class Playhead {
  readonly #columns: Columns;
  #index: number;
  #since = 0;

  constructor(columns: Columns, index: number) {
    this.#columns = columns;
    this.#index = index;
  }

  get index(): number {
    return this.#index;
  }

  /** So much time went by on the screen. Returns whether there is another event now. */
  advance(ms: number, speed: number): boolean {
    const before = this.#index;
    this.#since += ms;
    while (this.#index < this.#columns.length - 1) {
      const gap = Math.max(0, this.#columns.time(this.#index + 1) - this.#columns.time(this.#index));
      const wait = Math.min(gap / speed, LONGEST_WAIT_MS);
      if (this.#since < wait) break;
      this.#since -= wait;
      this.#index += 1;
    }
    return this.#index !== before;
  }
}
