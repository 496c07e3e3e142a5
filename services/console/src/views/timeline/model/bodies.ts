import type { ToolstreamEvent } from '@toolstream/proto-events';

/** Events that are dropped and fetched again together. */
export const PAGE = 256;
export const pageOf = (index: number): number => Math.floor(index / PAGE);

interface Page {
  events: ToolstreamEvent[];
  bytes: number;
}

/**
 * The events themselves, page by page, within a budget of their text's length: what was not looked at for longest goes, and
 * whoever needs it again brings it back. The newest page, which still grows, always stays.
 */
export class Bodies {
  readonly #budget: number;
  /** In the order in which they were last looked at. */
  readonly #pages = new Map<number, Page>();
  #bytes = 0;
  #last = -1;

  constructor(budget: number) {
    this.#budget = budget;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The next event. */
  push(index: number, event: ToolstreamEvent, bytes: number): void {
    const number = pageOf(index);
    this.#last = Math.max(this.#last, number);
    let page = this.#pages.get(number);
    if (!page) {
      // The page that began it may be gone only if it was full: an index that begins no page has its page here.
      if (index % PAGE !== 0) return;
      page = { events: [], bytes: 0 };
      this.#pages.set(number, page);
    }
    page.events.push(event);
    page.bytes += bytes;
    this.#bytes += bytes;
    this.#evict(number);
  }

  get(index: number): ToolstreamEvent | undefined {
    const number = pageOf(index);
    const page = this.#pages.get(number);
    if (!page) return undefined;
    this.#touch(number, page);
    return page.events[index % PAGE];
  }

  /** A page that was dropped, fetched again. */
  restore(number: number, events: readonly ToolstreamEvent[], bytes: number): void {
    if (this.#pages.has(number)) return;
    this.#pages.set(number, { events: [...events], bytes });
    this.#bytes += bytes;
    this.#evict(number);
  }

  #touch(number: number, page: Page): void {
    this.#pages.delete(number);
    this.#pages.set(number, page);
  }

  #evict(except: number): void {
    for (const [number, page] of this.#pages) {
      if (this.#bytes <= this.#budget) return;
      if (number === this.#last || number === except) continue;
      this.#pages.delete(number);
      this.#bytes -= page.bytes;
    }
  }
}
