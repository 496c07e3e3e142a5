import type { StoredEvent } from './stored-event.ts';

/** What the merge needs of an event. */
type Placed = Pick<StoredEvent, 'seq' | 'lastSeq'>;

/**
 * Joins the two views of one partition's events, both filtered alike, into one strictly increasing sequence without
 * holes: the live tail, which is fast and loses messages without a trace, and reads of the stream, which are complete up
 * to where they end. Pure: no clock, no connection.
 *
 * A live event passes at once when the event before it on its subject has passed, or lies below `proven`, up to where
 * reads have shown that nothing is missing. Otherwise everything is held until a read has filled the hole. A hole that is
 * found only after later events have passed cannot be filled any more: that is `gap`.
 */
export class Merge<E extends Placed> {
  readonly #maxHeld: number;
  /** Sequence of the last event passed on. */
  #low: number;
  /** Every event up to here was passed on. */
  #proven: number;
  /** Passed on from the live tail and not proven by a read yet. */
  readonly #unproven = new Set<number>();
  #held: E[] = [];
  #heldOverflowed = false;
  #holding = true;
  #gap = false;

  constructor(from: number, maxHeld: number) {
    this.#low = from;
    this.#proven = from;
    this.#maxHeld = maxHeld;
  }

  get low(): number {
    return this.#low;
  }

  get proven(): number {
    return this.#proven;
  }

  get holding(): boolean {
    return this.#holding;
  }

  get gap(): boolean {
    return this.#gap;
  }

  /** Nothing live passes until a read was settled: after a disconnect, or when the reader cannot keep up. */
  hold(): void {
    this.#holding = true;
  }

  /** Nothing passes any more. */
  fail(): void {
    this.#gap = true;
    this.#held = [];
    this.#unproven.clear();
  }

  /** A live event: true when it passes now. */
  live(event: E): boolean {
    if (this.#gap) return false;
    if (this.#holding) {
      this.#keep(event);
      return false;
    }
    if (event.seq <= this.#low) {
      if (!this.#passed(event.seq)) this.#gap = true;
      return false;
    }
    if (this.#unproven.size >= this.#maxHeld || !this.#passed(event.lastSeq ?? 0)) {
      this.#holding = true;
      this.#keep(event);
      return false;
    }
    this.#pass(event.seq);
    return true;
  }

  /**
   * A page of a read that began at `proven + 1`; answers the events that pass now. `more`: further pages follow. From
   * a page that brings news and is not the last, live events are held, as they would overtake the pages to come.
   */
  page(events: readonly E[], more: boolean): E[] {
    const fresh: E[] = [];
    for (const event of events) {
      if (this.#gap) break;
      if (event.seq > this.#low) {
        this.#low = event.seq;
        fresh.push(event);
      } else if (!this.#passed(event.seq)) {
        this.#gap = true;
      }
      if (!this.#gap) this.#prove(event.seq);
    }
    if (more && fresh.length > 0) this.#holding = true;
    return fresh;
  }

  /** A read showed that nothing lies between the last event it brought and `seq`. */
  provenThrough(seq: number): void {
    this.#low = Math.max(this.#low, seq);
    this.#prove(seq);
  }

  /**
   * The read is over. Answers the held events that pass now, and the sequence that the next read must reach where one
   * of them still lacks its predecessor. With nothing missing, live events pass again.
   */
  settle(): { pass: E[]; missing?: number } {
    const pass: E[] = [];
    if (!this.#holding || this.#gap) return { pass };
    if (this.#heldOverflowed) {
      this.#heldOverflowed = false;
      return { pass, missing: this.#low };
    }
    const held = this.#held.sort((a, b) => a.seq - b.seq);
    for (let at = 0; at < held.length; at++) {
      const event = held[at] as E;
      if (event.seq <= this.#low) {
        if (!this.#passed(event.seq)) this.#gap = true;
        if (this.#gap) return { pass };
        continue;
      }
      const before = event.lastSeq ?? 0;
      if (!this.#passed(before)) {
        this.#held = held.slice(at);
        if (before > this.#low) return { pass, missing: before };
        this.#gap = true;
        return { pass };
      }
      this.#pass(event.seq);
      pass.push(event);
    }
    this.#held = [];
    this.#holding = false;
    return { pass };
  }

  #passed(seq: number): boolean {
    return seq <= this.#proven || this.#unproven.has(seq);
  }

  #pass(seq: number): void {
    this.#low = seq;
    this.#unproven.add(seq);
  }

  #prove(seq: number): void {
    if (seq <= this.#proven) return;
    this.#proven = seq;
    // Insertion order is sequence order, so the proven ones come first.
    for (const passed of this.#unproven) {
      if (passed > seq) break;
      this.#unproven.delete(passed);
    }
  }

  #keep(event: E): void {
    if (this.#held.length < this.#maxHeld) {
      this.#held.push(event);
      return;
    }
    // The stream has them all: forget them and read once more.
    this.#held = [];
    this.#heldOverflowed = true;
  }
}
