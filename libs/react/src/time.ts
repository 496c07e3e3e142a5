import type { RunState } from './types.ts';

export const instant = (text: string): number => Date.parse(text);

/** Time that the run has been going up to `now`, pauses outside. */
export function activeSince(run: RunState, now: number): number {
  if (run.started_at === undefined) return 0;
  const paused = run.paused_at === undefined ? 0 : Math.max(0, now - instant(run.paused_at));
  return Math.max(0, now - instant(run.started_at) - run.paused_ms - paused);
}

/**
 * Follows the service's clock: of all events that came as they happened, the one that was least on its way tells best how far
 * that clock is ahead of this one.
 */
export class ServiceClock {
  #ahead: number | undefined;

  /** Milliseconds to add to this clock's time; 0 until an event has told. */
  get ahead(): number {
    return this.#ahead ?? 0;
  }

  heard(time: string, now: number): void {
    const ahead = instant(time) - now;
    if (!Number.isNaN(ahead) && (this.#ahead === undefined || ahead > this.#ahead)) this.#ahead = ahead;
  }
}
