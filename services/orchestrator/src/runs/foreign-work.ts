import type { RunState } from '@toolstream/proto-events';

/** An orchestrator that wrote to a run this short a while ago is in the middle of it, whatever it has left. */
export const BUSY_MS = 10;
/** So long after its last event it is taken to be still at work, if it has something left … */
export const FOREIGN_MS = 250;
/** … but never for longer than this after the first one that was waited for. */
const LONGEST_MS = 1_000;

/**
 * Another orchestrator at work on a run: it answered a command or a submission and performs what follows from it. For a
 * moment the reactor lets it finish, because both at once would only run into each other's fences.
 */
export class ForeignWork {
  readonly #first: number;
  #last: number;
  #state: RunState | undefined;
  #hasMore: boolean | undefined;

  constructor(now: number) {
    this.#first = now;
    this.#last = now;
  }

  /** Another event of it; `state` is the run right after that event: what it decides on. */
  seen(now: number, state: RunState | undefined): void {
    this.#last = now;
    this.#state = state;
    this.#hasMore = undefined;
  }

  /** Taken to be finished: what it wrote is reacted to like everything else. */
  isOver(now: number): boolean {
    return now >= this.#until;
  }

  /** Whether what others cause waits too. With nothing left to append on its own it is in nobody's way. */
  isBusy(now: number, isDue: (state: RunState) => boolean): boolean {
    if (this.isOver(now)) return false;
    if (now < this.#last + BUSY_MS) return true;
    this.#hasMore ??= this.#state !== undefined && isDue(this.#state);
    return this.#hasMore;
  }

  /** When to look again. */
  nextLook(now: number): number {
    const quiet = this.#last + BUSY_MS;
    return now < quiet ? Math.min(quiet, this.#until) : this.#until;
  }

  get #until(): number {
    return Math.min(this.#last + FOREIGN_MS, this.#first + LONGEST_MS);
  }
}
