import { evolve } from '@toolstream/domain';
import { type RunAddress, type RunState, runSubjects } from '@toolstream/proto-events';
import { LRUCache } from 'lru-cache';
import type { RunReader } from '../adapters/run-reader.ts';
import type { EdgeLog } from '../feeds/log.ts';

const STATES_KEPT = 256;
const STATE_KEPT_MS = 60_000;

/**
 * What runs were like where clients stopped listening: a client that comes back is told what differs from that. Clients
 * which stopped at the same event share one read of the log, and the state of one that was here a moment ago is at hand.
 */
export class PastStates {
  readonly #reader: Pick<RunReader, 'readAt'>;
  readonly #log: Pick<EdgeLog, 'firstOf'>;
  readonly #states = new LRUCache<string, Promise<RunState | undefined>>({ max: STATES_KEPT, ttl: STATE_KEPT_MS });

  constructor(reader: Pick<RunReader, 'readAt'>, log: Pick<EdgeLog, 'firstOf'>) {
    this.#reader = reader;
    this.#log = log;
  }

  keep(state: RunState): void {
    this.#states.set(keyOf(state.tenant, state.run_id, state.seq), Promise.resolve(state));
  }

  /** The run after everything up to this sequence. `undefined`: there was nothing of it yet. */
  at(address: RunAddress, seq: number): Promise<RunState | undefined> {
    if (seq === 0) return Promise.resolve(undefined);
    const key = keyOf(address.tenant, address.run, seq);
    const known = this.#states.get(key);
    if (known) return known;
    const reading = this.#read(address, seq);
    this.#states.set(key, reading);
    reading.catch(() => this.#states.delete(key));
    return reading;
  }

  async #read(address: RunAddress, seq: number): Promise<RunState | undefined> {
    let state = await this.#reader.readAt(address, seq);
    // Reads may be answered by a replica that is a moment behind: the leader knows whether there is more.
    for (let last = state?.seq ?? 0; last < seq; ) {
      const next = await this.#log.firstOf(runSubjects(address), last + 1);
      if (!next || next.seq > seq) break;
      last = next.seq;
      state = evolve(state, { event: next.event(), seq: last });
    }
    return state;
  }
}

const keyOf = (tenant: string, run: string, seq: number): string => `${tenant}/${run}@${seq}`;
