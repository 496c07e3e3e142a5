const MOST = 64;

/** Work that nobody waits for and that may fail: deletions of what is not referred to any more. Bounded; what is too much is left out. */
export class Background {
  readonly #running = new Set<Promise<void>>();

  start(work: () => Promise<void>): void {
    if (this.#running.size >= MOST) return;
    const running = work()
      .catch(() => {})
      .finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
