import { LRUCache } from 'lru-cache';
import { LiveRun } from './live-run.ts';

/** A run that nothing happened to for this long is read again when something does. */
const IDLE_MS = 2 * 60_000;

/**
 * The runs in memory. One that somebody holds stays, so that there is never a second lock for a run; of the others the
 * most recently used are kept, within a bound. An ended run is dropped as soon as the consumer has shown its end.
 */
export class LiveRuns {
  readonly #held = new Map<string, { run: LiveRun; holders: number }>();
  readonly #idle: LRUCache<string, LiveRun>;

  constructor(maxBytes: number) {
    this.#idle = new LRUCache({ maxSize: maxBytes, ttl: IDLE_MS, sizeCalculation: (run) => Math.ceil(run.bytes) });
  }

  get size(): number {
    return this.#held.size + this.#idle.size;
  }

  /** Runs that have not ended and whose events come here, as far as this process knows. */
  fed(): string[] {
    const runs = [...[...this.#held.values()].map(({ run }) => run), ...this.#idle.values()];
    return runs.filter((run) => run.base && !run.ended && run.feed > 0).map(({ id }) => id);
  }

  hold(id: string): LiveRun {
    const held = this.#held.get(id);
    if (held) {
      held.holders++;
      return held.run;
    }
    const run = this.#idle.get(id) ?? new LiveRun(id);
    this.#idle.delete(id);
    this.#held.set(id, { run, holders: 1 });
    return run;
  }

  release(run: LiveRun): void {
    const held = this.#held.get(run.id);
    if (!held || --held.holders > 0) return;
    this.#held.delete(run.id);
    if (run.view && !run.ended) this.#idle.set(run.id, run);
  }

  /** Holds the run and its lock while `work` runs. */
  async with<T>(id: string, work: (run: LiveRun) => Promise<T>, options: { urgent?: boolean } = {}): Promise<T> {
    const run = this.hold(id);
    try {
      return await run.lock.run(() => work(run), options);
    } finally {
      this.release(run);
    }
  }
}
