const interruption = new AbortController();
const open = new Set<Cleanup>();

/** Aborted when the benchmarks are told to end: nothing may be started any more. */
export const interrupted: AbortSignal = interruption.signal;

/** What a benchmark has started and must stop again, last first, whatever happens in between. */
export class Cleanup {
  readonly #steps: (() => unknown)[] = [];
  #closing: Promise<void> | undefined;

  /** Remembers how to stop something, and hands it back. */
  add<T>(thing: T, stop: (thing: T) => unknown): T {
    this.#steps.push(() => stop(thing));
    return thing;
  }

  /** Every step is taken once, also after one that failed; the first failure is thrown at the end. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
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
  interrupted.throwIfAborted();
  const cleanup = new Cleanup();
  open.add(cleanup);
  try {
    return await work(cleanup);
  } finally {
    await cleanup.close();
    open.delete(cleanup);
  }
}

/** Stops everything that any benchmark has started, innermost first. */
export async function stopEverything(): Promise<void> {
  interruption.abort(new Error('interrupted: the benchmarks were told to end'));
  for (const cleanup of [...open].reverse()) await cleanup.close().catch(() => {});
}
