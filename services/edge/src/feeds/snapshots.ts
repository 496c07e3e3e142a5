import type { ServerFrame, SnapshotReason, ToolstreamEvent } from '@toolstream/proto-events';
import { Refusal } from '../problems.ts';
import { furthest, type Positions, reaches } from './cursors.ts';
import { Frame } from './frame.ts';
import type { Ring } from './ring.ts';

/** A state and what it is the fold of: everything up to these positions. */
export interface Folded<S> {
  readonly state: S;
  readonly positions: Positions;
}

/** Where a feed's state comes from, how an event changes it and how frames show it. */
export interface StateSource<S> {
  /** From the projection and the log; `undefined` when there is nothing of it in the log. */
  load(): Promise<Folded<S> | undefined>;
  apply(state: S, event: ToolstreamEvent, seq: number): S;
  body(state: S, cursor: string): Extract<ServerFrame, { type: 'snapshot' }>['state'];
}

export interface Snapshot {
  readonly positions: Positions;
  readonly cursor: string;
  readonly frame: Frame;
}

interface View {
  readonly head: () => Positions;
  readonly ring: () => Ring;
  readonly format: (positions: Positions) => string;
  readonly names: { readonly run: string } | { readonly app: string };
}

const LOAD_TRIES = 5;
const LOAD_RETRY_MS = 100;

/**
 * A feed's snapshots. One is loaded once, whatever number of clients waits for it, and then carried forward by the events
 * in the ring; it is encoded once per position and reason. A snapshot is never older than its caller asks for.
 */
export class Snapshots<S> {
  readonly #source: StateSource<S>;
  readonly #view: View;
  #latest: Folded<S> | undefined;
  #loading: Promise<Folded<S> | undefined> | undefined;
  #frames = new Map<SnapshotReason, Frame>();
  #framesOf: Folded<S> | undefined;
  #generation = 0;

  constructor(source: StateSource<S>, view: View) {
    this.#source = source;
    this.#view = view;
  }

  /** Forgets everything: the log is not the one that this was folded from. */
  reset(): void {
    this.#generation++;
    this.#latest = undefined;
    this.#loading = undefined;
  }

  async at(least: Positions, reason: SnapshotReason): Promise<Snapshot> {
    for (let tries = 0; tries < LOAD_TRIES; tries++) {
      this.#carryForward();
      if (this.#latest && reaches(this.#latest.positions, least)) return this.#encoded(this.#latest, reason);
      if (tries > 0) await new Promise((resolve) => setTimeout(resolve, LOAD_RETRY_MS));
      const generation = this.#generation;
      const loaded = await this.#load();
      if (generation !== this.#generation) continue;
      if (!loaded) throw new Refusal('not_found');
      if (!this.#latest || !reaches(this.#latest.positions, loaded.positions)) this.#latest = loaded;
    }
    throw new Refusal('unavailable', 'The state could not be read up to the position that the client has.');
  }

  #carryForward(): void {
    const ring = this.#view.ring();
    if (!this.#latest || !ring.covers(this.#latest.positions)) {
      this.#latest = undefined;
      return;
    }
    const { positions } = this.#latest;
    let { state } = this.#latest;
    let moved = false;
    for (const entry of ring.after(positions)) {
      state = this.#source.apply(state, entry.event(), entry.seq);
      moved = true;
    }
    if (moved) this.#latest = { state, positions: furthest(positions, this.#view.head()) };
  }

  async #load(): Promise<Folded<S> | undefined> {
    const loading = this.#loading ?? this.#source.load();
    this.#loading = loading;
    try {
      return await loading;
    } finally {
      if (this.#loading === loading) this.#loading = undefined;
    }
  }

  #encoded(folded: Folded<S>, reason: SnapshotReason): Snapshot {
    if (this.#framesOf !== folded) {
      this.#frames.clear();
      this.#framesOf = folded;
    }
    const cursor = this.#view.format(folded.positions);
    let frame = this.#frames.get(reason);
    if (!frame) {
      const state = this.#source.body(folded.state, cursor);
      frame = Frame.of({ type: 'snapshot', ...this.#view.names, cursor, reason, state });
      this.#frames.set(reason, frame);
    }
    return { positions: folded.positions, cursor, frame };
  }
}
