import { EventStream } from './event-stream.ts';
import { contentType, eventsPath, type FeedOptions, pieces } from './http-feed.ts';
import type { Standing, Subscriber, Transport } from './transport.ts';

/** Browsers allow about six connections per origin over HTTP/1.1. Some must remain for commands and requests. */
export const STREAMS_AT_ONCE = 4;

/** Server-sent events, read with `fetch`: a stream for each subscription, with the token in a header. */
export class SseTransport implements Transport {
  readonly name = 'sse';
  readonly #options: FeedOptions;
  readonly #streams = new Map<string, EventStream>();

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get full(): boolean {
    return this.#streams.size >= STREAMS_AT_ONCE;
  }

  *standings(): Generator<Standing> {
    for (const stream of this.#streams.values()) yield stream.standing;
  }

  subscribe(subscriber: Subscriber): void {
    this.resubscribe(subscriber, subscriber.resume());
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    const stream = this.#streams.get(subscriber.key) ?? new EventStream(subscriber, this.#options);
    this.#streams.set(subscriber.key, stream);
    stream.begin(cursor);
  }

  unsubscribe({ key }: Subscriber): void {
    this.#streams.get(key)?.close();
    this.#streams.delete(key);
  }

  check(): void {
    for (const stream of [...this.#streams.values()]) stream.check();
  }

  close(): void {
    for (const stream of this.#streams.values()) stream.close();
    this.#streams.clear();
  }

  /** Whether a stream gets through: its first bytes come while it is open. The frames in them are left to others. */
  async works({ target, cursor }: Subscriber): Promise<boolean> {
    const { http, timing } = this.#options;
    const request = new AbortController();
    const timer = setTimeout(() => request.abort(), timing.streamOpenMs);
    try {
      const response = await http.attempt({
        method: 'GET',
        path: eventsPath(target),
        query: { cursor },
        accept: 'text/event-stream',
        signal: request.signal,
        timeoutMs: timing.streamOpenMs,
      });
      if (response.status === 204) return true;
      if (!contentType(response)?.startsWith('text/event-stream')) return false;
      for await (const _ of pieces(response)) return true;
      return false;
    } catch {
      return false;
    } finally {
      clearTimeout(timer);
      request.abort();
    }
  }
}
