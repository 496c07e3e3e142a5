import type { Client } from '@toolstream/client';
import { createRunsStore, type RunState, type RunsStore } from '@toolstream/react';

/** Apps that are followed at once: one that has more live runs on the page is seen by asking for the list again. */
export const APPS_AT_MOST = 8;
const EVERY_MS = 200;

/**
 * The runs of a few apps as they happen, for the rows of a list: whoever listens hears of changes at most five times a second,
 * and reads its own run.
 */
export class LiveRuns {
  readonly #client: Client;
  readonly #listeners = new Set<() => void>();
  readonly #stores = new Map<string, { store: RunsStore; leave: () => void }>();
  #runs: ReadonlyMap<string, RunState> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(client: Client) {
    this.#client = client;
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  get = (run: string): RunState | undefined => this.#runs.get(run);

  /** Ids of the live runs, newest first: another string when one came or went. */
  ids = (): string =>
    [...this.#runs.values()]
      .filter(({ ended_at }) => ended_at === undefined)
      .map(({ run_id }) => run_id)
      .join();

  /** Follows these apps, and no others any longer. */
  follow(apps: readonly string[]): void {
    const wanted = new Set(apps.slice(0, APPS_AT_MOST));
    for (const [app, { store, leave }] of this.#stores) {
      if (wanted.has(app)) continue;
      leave();
      store.close();
      this.#stores.delete(app);
    }
    for (const app of wanted) {
      if (this.#stores.has(app)) continue;
      const store = createRunsStore(this.#client, app);
      this.#stores.set(app, { store, leave: store.subscribe(() => this.#soon()) });
    }
  }

  close(): void {
    this.follow([]);
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #soon(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const all = [...this.#stores.values()].flatMap(({ store }) => store.getSnapshot().runs);
      this.#runs = new Map(all.map((run) => [run.run_id, run]));
      for (const listener of [...this.#listeners]) listener();
    }, EVERY_MS);
  }
}
