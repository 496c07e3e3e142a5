import { notAbove } from './sorted.ts';

/** Kept of each event, whatever happens to its body: 19 bytes. */
const FIRST_ROOM = 1024;
const NO_CALL = -1;

/**
 * Every event's place, time, type and call, in the order of the log: what the axis, the filters and the search for a moment
 * need. It only grows.
 */
export class Columns {
  #seqs = new Float64Array(FIRST_ROOM);
  #times = new Float64Array(FIRST_ROOM);
  #calls = new Int16Array(FIRST_ROOM);
  #types = new Uint8Array(FIRST_ROOM);
  readonly #names: string[] = [];
  readonly #codes = new Map<string, number>();
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The types that occurred, in the order in which they first did. */
  get types(): readonly string[] {
    return this.#names;
  }

  push(seq: number, time: number, type: string, call: number | undefined): void {
    if (this.#length === this.#seqs.length) this.#grow();
    const at = this.#length++;
    this.#seqs[at] = seq;
    this.#times[at] = time;
    this.#calls[at] = call ?? NO_CALL;
    this.#types[at] = this.#codeOf(type);
  }

  seq(index: number): number {
    return this.#seqs[index]!;
  }

  /** Milliseconds since 1970, as the event's writer read its clock. */
  time(index: number): number {
    return this.#times[index]!;
  }

  type(index: number): string {
    return this.#names[this.#types[index]!]!;
  }

  call(index: number): number | undefined {
    const call = this.#calls[index]!;
    return call === NO_CALL ? undefined : call;
  }

  /** The last event at or before this sequence; -1 if there is none. */
  atOrBefore(seq: number): number {
    return notAbove(this.#seqs, seq, this.#length) - 1;
  }

  /** The last event in the log's order that happened at or before this time; the first event where none did. */
  atTime(time: number): number {
    // Writers' clocks differ, so times only nearly grow: they cannot be searched by halves.
    for (let index = this.#length - 1; index > 0; index--) if (this.#times[index]! <= time) return index;
    return 0;
  }

  #codeOf(type: string): number {
    const known = this.#codes.get(type);
    if (known !== undefined) return known;
    // The contract has a few dozen types; an edge that is newer than this page may add some, never hundreds.
    const code = Math.min(this.#names.length, 255);
    this.#names[code] = type;
    this.#codes.set(type, code);
    return code;
  }

  #grow(): void {
    const room = this.#seqs.length * 2;
    const seqs = new Float64Array(room);
    const times = new Float64Array(room);
    const calls = new Int16Array(room);
    const types = new Uint8Array(room);
    seqs.set(this.#seqs);
    times.set(this.#times);
    calls.set(this.#calls);
    types.set(this.#types);
    [this.#seqs, this.#times, this.#calls, this.#types] = [seqs, times, calls, types];
  }
}
