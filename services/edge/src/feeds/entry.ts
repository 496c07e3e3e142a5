import { RUN_END_TYPES, type RunStatus, type ToolstreamEvent, VOLATILE_TYPES } from '@toolstream/proto-events';
import type { Positions } from './cursors.ts';
import { eventFrame, eventHead, Frame, storedBytes } from './frame.ts';

/** What is written to a client: both wire forms of one frame, or of several after each other. */
export interface Chunk {
  readonly ws: Buffer;
  readonly sse: Buffer;
}

/** The event of the log that an entry relays. */
export interface Relayed {
  readonly seq: number;
  readonly type: string;
  readonly run: string;
  readonly data: Uint8Array;
}

/** What folding asks of an event that is not a lifecycle event. */
export interface Volatile {
  readonly kind: 'progress' | 'output' | 'single';
  /** Progress with a percentage: a state keeps the last one through progress that has none. */
  readonly measures: boolean;
  /** The attempt, and of output the channel: what supersedes or continues what. */
  readonly of: string;
}

/**
 * One event in a feed's relayed order. `prev` and `cursor` chain the entries: whoever has everything up to `prev` has
 * everything up to `cursor` after this frame. All subscribers in step get this very frame.
 */
export class Entry {
  readonly slot: number;
  readonly seq: number;
  readonly run: string;
  readonly type: string;
  readonly prev: string;
  readonly cursor: string;
  /** Where a reader stands after this entry. */
  readonly positions: Positions;
  readonly frame: Frame;
  /** Follows the frame when the event ends its run. */
  readonly end: Frame | undefined;
  readonly #app: string | undefined;
  readonly #head: string;
  #volatile: Volatile | null | undefined;
  #emittedAt: number | undefined;

  constructor(
    place: { slot: number; prev: string; cursor: string; positions: Positions; app: string | undefined },
    relayed: Relayed,
  ) {
    this.slot = place.slot;
    this.seq = relayed.seq;
    this.run = relayed.run;
    this.type = relayed.type;
    this.prev = place.prev;
    this.cursor = place.cursor;
    this.positions = place.positions;
    this.#app = place.app;
    this.#head = this.#headFor(place.prev, place.cursor);
    this.frame = eventFrame(this.#head, relayed.data, place.cursor);
    const status = endStatus(relayed.type);
    this.end = status && endFrame(relayed.run, place.app, place.cursor, status);
  }

  get bytes(): number {
    return this.frame.ws.length;
  }

  event(): ToolstreamEvent {
    return JSON.parse(storedBytes(this.frame, this.#head).toString()) as ToolstreamEvent;
  }

  /** When the event says that it happened, in ms since 1970. */
  get emittedAt(): number {
    this.#emittedAt ??= Date.parse(this.event().time);
    return this.#emittedAt;
  }

  /** `undefined` for lifecycle events, and for whatever this version does not know. */
  get volatile(): Volatile | undefined {
    if (this.#volatile === undefined)
      this.#volatile = (VOLATILE_TYPES.has(this.type) && volatileOf(this.event())) || null;
    return this.#volatile ?? undefined;
  }

  /** The end of its run, where the event has one, for a reader that stands at `cursor` after it. */
  endAt(cursor: string): Frame | undefined {
    const status = endStatus(this.type);
    return cursor === this.cursor ? this.end : status && endFrame(this.run, this.#app, cursor, status);
  }

  /** The same event for one client that is not in step: `prev` is what this client has. */
  frameAfter(prev: string, cursor: string): Frame {
    return this.foldedFrame(prev, cursor, 1, undefined);
  }

  /** The frame of `count` events, of which this is the newest. `event`: what it says instead of the stored bytes. */
  foldedFrame(prev: string, cursor: string, count: number, event: Uint8Array | undefined): Frame {
    return eventFrame(this.#headFor(prev, cursor, count), event ?? storedBytes(this.frame, this.#head), cursor);
  }

  #headFor(prev: string, cursor: string, folded = 1): string {
    return eventHead({ ...(this.#app === undefined ? {} : { app: this.#app }), run: this.run, cursor, prev, folded });
  }
}

/** Output that says where it goes on is told as it is. */
function volatileOf({ type, toolindex, attempt, data }: ToolstreamEvent): Volatile | undefined {
  if (toolindex === undefined || attempt === undefined) return undefined;
  const of = `${toolindex}.${attempt}`;
  if (type === 'tool.progressed.v1') return { kind: 'progress', measures: data.progress !== undefined, of };
  if (type !== 'tool.output.v1') return undefined;
  const kind = data.artifact === undefined ? 'output' : 'single';
  return { kind, measures: false, of: `${of}.${data.channel}` };
}

export function endStatus(type: string): RunStatus | undefined {
  return RUN_END_TYPES.has(type) ? (type.slice(4, type.lastIndexOf('.')) as RunStatus) : undefined;
}

export const endFrame = (run: string, app: string | undefined, cursor: string, status: RunStatus): Frame =>
  Frame.of({ type: 'end', run, ...(app === undefined ? {} : { app }), cursor, status });

/** Entries that were relayed together: every subscriber in step gets them in one write. */
export class Batch implements Chunk {
  readonly entries: readonly Entry[];
  #ws: Buffer | undefined;
  #sse: Buffer | undefined;

  constructor(entries: readonly Entry[]) {
    this.entries = entries;
  }

  get ws(): Buffer {
    this.#ws ??= joined(this.#frames().map((frame) => frame.ws));
    return this.#ws;
  }

  get sse(): Buffer {
    this.#sse ??= joined(this.#frames().map((frame) => frame.sse));
    return this.#sse;
  }

  #frames(): Frame[] {
    return this.entries.flatMap((entry) => (entry.end ? [entry.frame, entry.end] : [entry.frame]));
  }
}

const joined = (parts: readonly Buffer[]): Buffer => (parts.length === 1 ? parts[0]! : Buffer.concat(parts));
