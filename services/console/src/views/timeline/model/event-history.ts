import { evolve } from '@toolstream/domain';
import type { RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { Bodies, PAGE, pageOf } from './bodies.ts';
import { Checkpoints } from './checkpoints.ts';
import { Columns } from './columns.ts';
import { isNotable, type Marker, markerOf } from './markers.ts';
import { Spans } from './spans.ts';

export interface HistoryLimits {
  /** Events that are indexed; what comes after them is folded, counted and not shown one by one. */
  readonly events: number;
  /** Length of the text of the events that are kept whole. */
  readonly bytes: number;
}

export const LIMITS: HistoryLimits = { events: 200_000, bytes: 24 * 1024 * 1024 };

/** A moment that cannot be shown yet: the events of this page were dropped and have to be fetched. */
export interface Missing {
  readonly missing: number;
}

/**
 * A run's events from the first, in the order of the log, and the way to the state at each of them: the nearest kept state and
 * the one fold over what follows it. Memory is bounded by the limits, not by the run.
 */
export class EventHistory {
  readonly columns = new Columns();
  readonly spans = new Spans();
  /** Marks of the run itself, and those of each call: what grows, grows in place. */
  readonly runMarkers: Marker[] = [];
  readonly callMarkers: Marker[][] = [];
  readonly #limits: HistoryLimits;
  readonly #bodies: Bodies;
  readonly #checkpoints = new Checkpoints();
  /** Indices of the lifecycle events. */
  readonly #notable: number[] = [];
  #head: RunState | undefined;
  #beyond = 0;
  /** The last state that was asked for: its neighbour is one event away. */
  #recent: { index: number; state: RunState } | undefined;

  constructor(limits: HistoryLimits = LIMITS) {
    this.#limits = limits;
    this.#bodies = new Bodies(limits.bytes);
  }

  get length(): number {
    return this.columns.length;
  }

  /** The state after every event so far, also of those beyond the limit. */
  get head(): RunState | undefined {
    return this.#head;
  }

  /** Events that are not indexed, because the run is longer than the limit. */
  get beyond(): number {
    return this.#beyond;
  }

  get notable(): readonly number[] {
    return this.#notable;
  }

  /** The next event; one that is known already is ignored. Returns whether it was new. */
  append(event: ToolstreamEvent, seq: number, bytes: number): boolean {
    const before = this.#head;
    if (before && seq <= before.seq) return false;
    const after = evolve(before, { event, seq });
    if (!after) return false;
    this.#head = after;
    const time = Date.parse(event.time);
    if (this.length >= this.#limits.events) {
      this.#beyond += 1;
      // Bars are few, however many events there are; those of later events lead to the last one that is listed.
      this.spans.apply(before, after, time, this.length - 1);
      return true;
    }
    const index = this.length;
    this.columns.push(seq, time, event.type, event.toolindex);
    this.#bodies.push(index, event, bytes);
    this.#checkpoints.offer(index, after);
    this.spans.apply(before, after, time, index);
    const marker = markerOf(event, index, time);
    if (marker) this.#markersOf(event.toolindex).push(marker);
    if (isNotable(event.type)) this.#notable.push(index);
    return true;
  }

  #markersOf(call: number | undefined): Marker[] {
    if (call === undefined) return this.runMarkers;
    this.callMarkers[call] ??= [];
    return this.callMarkers[call];
  }

  eventAt(index: number): ToolstreamEvent | undefined {
    return this.#bodies.get(index);
  }

  /** The state after the event at this index. */
  stateAt(index: number): RunState | Missing {
    if (index === this.length - 1 && this.#beyond === 0 && this.#head) return this.#head;
    const kept = this.#checkpoints.before(index);
    const recent = this.#recent;
    const start = recent && recent.index <= index && recent.index >= (kept?.index ?? 0) ? recent : kept;
    let state = start?.state;
    for (let at = start ? start.index + 1 : 0; at <= index; at++) {
      const event = this.#bodies.get(at);
      if (!event) return { missing: pageOf(at) };
      state = evolve(state, { event, seq: this.columns.seq(at) });
    }
    this.#recent = { index, state: state! };
    return state!;
  }

  /** Where to fetch a dropped page: the events after this sequence; 0 is the start. */
  pageStart(page: number): { readonly after: number; readonly count: number } {
    const first = page * PAGE;
    return { after: first === 0 ? 0 : this.columns.seq(first - 1), count: Math.min(PAGE, this.length - first) };
  }

  restore(page: number, events: readonly ToolstreamEvent[], bytes: number): void {
    this.#bodies.restore(page, events, bytes);
  }
}

export const isMissing = (state: RunState | Missing): state is Missing => 'missing' in state;
