import type { Channel } from './channel.ts';
import { type CableMemory, type Places, placeKey, REWRITE_MS } from './memory.ts';
import type { PagePlace } from './standing.ts';

const WRITE_AFTER_MS = 200;

/**
 * Where one page of a v1 client stands. What counts is what the page has received: the receipts tell, and a closing
 * handshake does. So a page that comes back misses nothing that its dead connection swallowed, and is told at most the last
 * moment's messages twice.
 */
export class Page {
  readonly #memory: CableMemory;
  readonly #key: string;
  readonly #places = new Map<string, PagePlace>();
  #sent: Map<string, PagePlace> = new Map();
  #timer: NodeJS.Timeout | undefined;
  #writing = false;
  #dirty = false;
  #first = true;
  #writtenAt = Date.now();

  private constructor(memory: CableMemory, key: string) {
    this.#memory = memory;
    this.#key = key;
  }

  static async open(memory: CableMemory, key: string): Promise<Page> {
    const page = new Page(memory, key);
    for (const [identifier, place] of await memory.page(key, page)) page.#places.set(identifier, place);
    return page;
  }

  placeOf(identifier: string): PagePlace | undefined {
    return this.#places.get(placeKey(identifier));
  }

  /** A channel that the page has left: it is drawn anew, though a receipt that is still under way knows of it. */
  forget(identifier: string): void {
    this.#sent.delete(identifier);
    if (this.#places.delete(placeKey(identifier))) this.#changed();
  }

  /** What the page will have when it answers. */
  sent(channels: Iterable<Channel>): Places {
    this.#sent = placesOf(channels);
    return this.#sent;
  }

  /** What the page has, by channel. */
  received(places: Places): void {
    for (const [identifier, place] of places) {
      const key = placeKey(identifier);
      if (this.#places.get(key)?.cursor === place.cursor) continue;
      this.#places.set(key, place);
      this.#dirty = true;
    }
    if (this.#dirty) this.#changed();
  }

  /** A connection that stays open is not forgotten. */
  tick(now: number): void {
    if (now - this.#writtenAt >= REWRITE_MS && this.#places.size > 0) this.#changed();
  }

  /** The connection is over. */
  close(): void {
    clearTimeout(this.#timer);
    if (this.#dirty) void this.#write();
    this.#memory.leavePage(this.#key, this);
  }

  /** The first place is written at once: a page that has drawn something must not draw it again. */
  #changed(): void {
    this.#dirty = true;
    if (this.#first) {
      this.#first = false;
      void this.#write();
      return;
    }
    if (this.#timer || this.#writing) return;
    this.#timer = setTimeout(() => void this.#write(), WRITE_AFTER_MS);
    this.#timer.unref();
  }

  async #write(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#dirty = false;
    this.#writing = true;
    this.#writtenAt = Date.now();
    await this.#memory.keepPage(this.#key, this, this.#places);
    this.#writing = false;
    if (this.#dirty) this.#changed();
  }
}

/** Where the channels of a connection stand. */
export function placesOf(channels: Iterable<Channel>): Map<string, PagePlace> {
  const places = new Map<string, PagePlace>();
  for (const channel of channels) {
    const { place } = channel;
    if (place) places.set(channel.identifier, place);
  }
  return places;
}
