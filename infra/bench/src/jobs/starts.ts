import type { Peer } from '../peer.ts';

/** What a peer's jobs have noted, gathered here. */
export class Starts {
  readonly #peer: Peer;
  readonly #seen = new Map<string, number>();

  constructor(peer: Peer) {
    this.#peer = peer;
  }

  async all(): Promise<ReadonlyMap<string, number>> {
    for (const [id, at] of await this.#peer.call<[string, number][]>('starts')) {
      if (this.#seen.has(id)) throw new Error(`started_twice: job ${id} of ${this.#peer.name}`);
      this.#seen.set(id, at);
    }
    return this.#seen;
  }

  forget(): void {
    this.#seen.clear();
  }
}
