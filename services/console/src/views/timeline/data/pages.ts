import type { EventHistory } from '../model/event-history.ts';
import { framesOf, type HistoryFrame } from './frames.ts';

export interface PagesOptions {
  /** The history behind a sequence; 0 is the start. */
  readonly read: (seq: number, signal: AbortSignal) => Promise<ReadableStream<Uint8Array>>;
  /** Something is there again, or cannot be fetched. */
  readonly onChange: () => void;
}

/** Events that were dropped from memory, fetched again page by page when somebody looks at them. */
export class Pages {
  readonly #options: PagesOptions;
  readonly #fetching = new Map<number, AbortController>();
  /** Why those are not there that could not be fetched. */
  readonly #failed = new Map<number, unknown>();

  constructor(options: PagesOptions) {
    this.#options = options;
  }

  /** Why the last one of those that are missing could not be fetched. */
  get error(): unknown {
    return [...this.#failed.values()].at(-1);
  }

  /** What somebody needs and does not have. */
  get missing(): readonly number[] {
    return [...this.#fetching.keys(), ...this.#failed.keys()];
  }

  need(history: EventHistory, page: number): void {
    if (this.#fetching.has(page)) return;
    const request = new AbortController();
    this.#fetching.set(page, request);
    this.#failed.delete(page);
    this.#fetch(history, page, request.signal)
      .catch((error: unknown) => {
        if (!request.signal.aborted) this.#failed.set(page, error);
      })
      .finally(() => {
        if (this.#fetching.get(page) === request) this.#fetching.delete(page);
        this.#options.onChange();
      });
  }

  /** What is under way is of no use any more. */
  stop(): void {
    for (const request of this.#fetching.values()) request.abort();
    this.#fetching.clear();
    this.#failed.clear();
  }

  async #fetch(history: EventHistory, page: number, signal: AbortSignal): Promise<void> {
    const { after, count } = history.pageStart(page);
    const found: HistoryFrame[] = [];
    for await (const frames of framesOf(await this.#options.read(after, signal))) {
      found.push(...frames);
      if (found.length >= count) break;
    }
    if (found.length < count) throw new Error('The log no longer holds these events.');
    const kept = found.slice(0, count);
    const bytes = kept.reduce((sum, frame) => sum + frame.bytes, 0);
    signal.throwIfAborted();
    history.restore(
      page,
      kept.map(({ event }) => event),
      bytes,
    );
  }
}
