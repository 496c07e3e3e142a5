/**
 * How many calls of a tool this executor runs at once, where the tool says so. A call that must wait is not claimed yet:
 * a cancel or pause takes it back as any other that is queued, and its lease is kept meanwhile.
 */
export class Turns {
  readonly #running = new Map<string, number>();
  readonly #waiting = new Map<string, ((entered: boolean) => void)[]>();
  #closed = false;

  /** Resolves to false when there will be no turn here any more. Who entered must {@link leave}. */
  async enter(tool: string, limit: number | undefined): Promise<boolean> {
    if (limit === undefined) return true;
    if (this.#closed) return false;
    const running = this.#running.get(tool) ?? 0;
    if (running < limit) {
      this.#running.set(tool, running + 1);
      return true;
    }
    return new Promise((resolve) => {
      const queue = this.#waiting.get(tool) ?? [];
      this.#waiting.set(tool, queue);
      queue.push(resolve);
    });
  }

  leave(tool: string, limit: number | undefined): void {
    if (limit === undefined) return;
    const next = this.#waiting.get(tool)?.shift();
    // The turn goes on to the one that waited longest.
    if (next) next(true);
    else this.#running.set(tool, (this.#running.get(tool) ?? 1) - 1);
  }

  /** Nobody waits here any more. */
  close(): void {
    this.#closed = true;
    for (const queue of this.#waiting.values()) for (const resolve of queue.splice(0)) resolve(false);
  }
}
