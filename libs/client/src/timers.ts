const LONGEST_MS = 2 ** 31 - 1;

/** The timers of one owner, one per name; {@link Timers.clear} leaves none behind. */
export class Timers<Name extends string> {
  readonly #timers = new Map<Name, ReturnType<typeof setTimeout>>();

  /** Replaces a timer of the same name. */
  set(name: Name, ms: number, then: () => void): void {
    this.stop(name);
    const due = () => {
      this.#timers.delete(name);
      then();
    };
    this.#timers.set(name, setTimeout(due, Math.min(Math.max(0, ms), LONGEST_MS)));
  }

  isSet(name: Name): boolean {
    return this.#timers.has(name);
  }

  stop(name: Name): void {
    clearTimeout(this.#timers.get(name));
    this.#timers.delete(name);
  }

  clear(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
  }
}
