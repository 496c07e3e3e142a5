/**
 * One at a time per run, in order of arrival; a caller's command overtakes what the service does on its own. A lock that
 * several processes share is not needed: the fence of each append decides between them.
 */
export class RunLock {
  readonly #urgent: (() => void)[] = [];
  readonly #waiting: (() => void)[] = [];
  #held = false;

  /** A command waits: long work on this run does well to let it through. */
  get commandWaits(): boolean {
    return this.#urgent.length > 0;
  }

  async run<T>(work: () => Promise<T>, { urgent = false } = {}): Promise<T> {
    if (this.#held) await new Promise<void>((resolve) => (urgent ? this.#urgent : this.#waiting).push(resolve));
    this.#held = true;
    try {
      return await work();
    } finally {
      const next = this.#urgent.shift() ?? this.#waiting.shift();
      // The lock is handed over while it is held, so that nobody slips in between.
      if (next) next();
      else this.#held = false;
    }
  }
}
