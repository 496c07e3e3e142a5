const LIMIT = 3;
/** A connection that never opened says more than one that broke early. */
const WEIGHTS = { unopened: 1.5, short: 1 } as const;

/**
 * Whether a path seems to be blocked: connections on it do not open, or break within seconds, again and again. What the
 * service itself refuses or ends is no sign of that: it was reached.
 */
export class Health {
  #score = 0;

  get blocked(): boolean {
    return this.#score >= LIMIT;
  }

  failed(how: keyof typeof WEIGHTS): void {
    this.#score += WEIGHTS[how];
  }

  held(): void {
    this.#score = 0;
  }

  /** It works again for the moment; the next failure is enough. */
  doubtful(): void {
    this.#score = LIMIT - WEIGHTS.short;
  }
}
