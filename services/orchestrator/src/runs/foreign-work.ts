import type { RunState } from '@toolstream/proto-events';

/** So long after an orchestrator's last event on a run it is taken to be still at work on it … */
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

  /** When it is taken to be finished. */
  get until(): number {
    return Math.min(this.#last + FOREIGN_MS, this.#first + LONGEST_MS);
  }

  /** Whether it has more to append on its own: with nothing left to it, what others cause need not wait. */
  hasMore(isDue: (state: RunState) => boolean): boolean {
    this.#hasMore ??= this.#state !== undefined && isDue(this.#state);
    return this.#hasMore;
  }
}
