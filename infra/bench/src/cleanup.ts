/** What a benchmark has started and must stop again, last first, whatever happens in between. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];

  /** Remembers how to stop something, and hands it back. */
  add<T>(thing: T, stop: (thing: T) => unknown): T {
    this.#steps.push(() => stop(thing));
    return thing;
  }

  /** Every step is taken, also after one that failed; the first failure is thrown at the end. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}

export async function withCleanup<T>(work: (cleanup: Cleanup) => Promise<T>): Promise<T> {
  const cleanup = new Cleanup();
  try {
    return await work(cleanup);
  } finally {
    await cleanup.close();
  }
}
