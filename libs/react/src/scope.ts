import { type Client, type ClientOptions, createClient } from '@toolstream/client';
import { createConnectionStore } from './connection-store.ts';
import { createRunStore, type RunStore, type RunStoreOptions } from './run-store.ts';
import { createRunsStore, type RunsStore } from './runs-store.ts';
import type { ConnectionView, Store } from './types.ts';

/** Stores that nobody subscribes to, kept for whoever comes back. */
const STORES_KEPT = 32;

/** A client and the stores over it, shared by everything below one provider. */
export class Scope {
  readonly connection: Store<ConnectionView> & { close(): void };
  readonly #make: () => Client;
  readonly #runs = new Map<string, RunStore>();
  readonly #apps = new Map<string, RunsStore>();
  #client: Client | undefined;
  #owned: boolean;

  private constructor(make: () => Client, owned: boolean) {
    this.#make = make;
    this.#owned = owned;
    this.connection = createConnectionStore(() => this.client());
  }

  /** Over a client that is somebody else's to close. */
  static over(client: Client): Scope {
    return new Scope(() => client, false);
  }

  /** Over a client of its own, made when it is first needed: rendering on a server needs none. */
  static from(options: ClientOptions): Scope {
    return new Scope(() => createClient(options), true);
  }

  client(): Client {
    this.#client ??= this.#make();
    return this.#client;
  }

  run(run: string, options: RunStoreOptions = {}): RunStore {
    return kept(this.#runs, run, () => createRunStore(() => this.client(), run, options));
  }

  runs(app: string): RunsStore {
    return kept(this.#apps, app, () => createRunsStore(() => this.client(), app));
  }

  /** Leaves everything that is watched, and closes a client of its own; what comes later begins with a new one. */
  close(): void {
    for (const store of [...this.#runs.values(), ...this.#apps.values(), this.connection]) store.close();
    this.#runs.clear();
    this.#apps.clear();
    if (this.#owned) this.#client?.close();
    this.#client = undefined;
  }
}

/** The newest use last; beyond the bound the oldest are forgotten. One that is still subscribed to lives on by itself. */
function kept<S>(stores: Map<string, S>, key: string, make: () => S): S {
  const store = stores.get(key) ?? make();
  stores.delete(key);
  stores.set(key, store);
  for (const [oldest] of stores) {
    if (stores.size <= STORES_KEPT) break;
    stores.delete(oldest);
  }
  return store;
}
