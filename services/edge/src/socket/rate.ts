/** A token bucket: `perSecond` on average, twice as many at once. */
export class RateLimit {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = perSecond * 2;
    this.#tokens = this.#burst;
    this.#at = now;
  }

  /**
   * Takes one token. Refused attempts count too, down to as many as a full bucket: `hopeless` says that a caller ignores
   * its refusals.
   */
  take(now: number): 'ok' | 'limited' | 'hopeless' {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#tokens <= -this.#burst) return 'hopeless';
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 'ok' : 'limited';
  }
}

/** A token bucket without a memory of refusals: `perSecond` on average, at most `burst` at once. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#at = now;
  }

  /** 0: taken. Else the milliseconds until there is one to take. */
  take(now: number): number {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1000) * this.#perSecond);
    this.#at = now;
    if (this.#tokens < 1) return ((1 - this.#tokens) / this.#perSecond) * 1000;
    this.#tokens -= 1;
    return 0;
  }
}
