/** A process that lived this long was healthy: its end is not part of a crash loop. */
const HEALTHY_MS = 2_000;
const DELAYS_MS = [0, 100, 250, 500, 1_000] as const;

/**
 * How long to wait before the next start: not at all after the first end, then longer for what ends again and again, but
 * never so long that a restart would take 2 seconds.
 */
export class RestartPolicy {
  #quickEnds = 0;

  /** Told of every end; `livedMs` is 0 for a start that failed. */
  nextDelayMs(livedMs: number): number {
    if (livedMs >= HEALTHY_MS) this.#quickEnds = 0;
    const delay = DELAYS_MS[Math.min(this.#quickEnds, DELAYS_MS.length - 1)] ?? 0;
    this.#quickEnds++;
    return delay;
  }
}
