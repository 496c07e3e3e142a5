import type { StoredEvent } from '@toolstream/event-log';
import type pg from 'pg';
import type { Claim, PositionRow } from './adapters/position.ts';
import { KnownStates } from './adapters/states.ts';
import { writeBatch } from './adapters/writer.ts';
import { type ChangedRun, foldBatch, runsToLoad } from './fold/fold-batch.ts';
import { foldable, newEvents, type Unreadable } from './fold/foldable.ts';

export interface Applied {
  /** How many of the batch's events were new. */
  readonly events: number;
  readonly changed: readonly ChangedRun[];
  readonly unreadable: readonly Unreadable[];
}

const NOTHING: Applied = { events: 0, changed: [], unreadable: [] };

/**
 * Brings batches into the tables, each in one transaction with the position that it reaches. What is in memory is what
 * was committed; after an error nothing is known any more (the commit may have gone through), and the applier is of no
 * further use: the next one begins at the row's position.
 */
export class Applier {
  readonly #client: pg.Client;
  readonly #claim: Claim;
  readonly #states: KnownStates;
  #position: PositionRow;

  constructor(client: pg.Client, claim: Claim, position: PositionRow, cacheChars: number) {
    this.#client = client;
    this.#claim = claim;
    this.#position = position;
    this.#states = new KnownStates(cacheChars);
  }

  get position(): PositionRow {
    return this.#position;
  }

  async apply(delivered: readonly StoredEvent[]): Promise<Applied> {
    const { epoch, seq: from } = this.#position;
    const stored = newEvents(delivered, from);
    const last = stored.at(-1);
    if (!last) return NOTHING;
    const { events, unreadable } = foldable(stored);
    const known = await this.#states.find(this.#client, this.#claim.schema, runsToLoad(events));
    const folded = foldBatch(events, known);
    const sizes = await writeBatch(this.#client, this.#claim, folded.changed, {
      epoch,
      from,
      to: last.seq,
      eventId: last.id,
      eventAt: last.time ?? Date.now(),
    });
    this.#states.committed(folded.changed, sizes);
    this.#position = { epoch, seq: last.seq, event_id: last.id };
    return { events: stored.length, changed: folded.changed, unreadable: [...unreadable, ...folded.unreadable] };
  }
}
