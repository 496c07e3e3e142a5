/** setTimeout fires at once beyond this many milliseconds (2^31 - 1). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** A timeout whose clock can stand still: time during which a pause holds the tool does not count. */
export class Deadline {
  readonly #onExpired: () => void;
  #remainingMs: number;
  #startedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number, onExpired: () => void) {
    this.#remainingMs = timeoutMs;
    this.#onExpired = onExpired;
  }

  start(): void {
    if (this.#timer) return;
    this.#startedAt = performance.now();
    this.#timer = setTimeout(() => this.#onTimer(), Math.min(this.#remainingMs, LONGEST_TIMER_MS));
  }

  stop(): void {
    if (!this.#timer) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#remainingMs = Math.max(0, this.#remainingMs - (performance.now() - this.#startedAt));
  }

  #onTimer(): void {
    this.stop();
    // Timers fire up to a millisecond early.
    if (this.#remainingMs > 1) this.start();
    else this.#onExpired();
  }
}
