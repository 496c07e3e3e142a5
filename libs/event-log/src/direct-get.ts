import type { Msg } from '@nats-io/nats-core';
import { type Channel, refusal } from './channel.ts';
import { LogRejectedError, LogUnavailableError } from './errors.ts';
import { eventHeaders } from './event-headers.ts';
import { type StoredEvent, StoredEventMessage } from './stored-event.ts';

const encoder = new TextEncoder();

export interface PageRequest {
  stream: string;
  filter: string;
  /** First sequence wanted. */
  from: number;
  maxEvents: number;
  maxBytes: number;
  timeoutMs: number;
}

interface DirectGet {
  stream: string;
  filter: string;
  query: unknown;
  timeoutMs: number;
}

export interface Page {
  events: StoredEvent[];
  /** Matching events behind this page when it was read; 0 ends the read. */
  pending: number;
}

/** No message of a page for this long: its rest was lost. */
const STALL_MS = 2_000;
const RETRY_MS = 250;
/** Messages between two restarts of the stall timer. */
const SIGN_OF_LIFE = 32;

/**
 * Reads one page by direct get. A page whose middle is lost with the connection is asked for again; at the deadline
 * without progress it rejects with {@link LogUnavailableError}. On R3 the answer may come from a follower: it is then
 * a prefix of the log that may lack the newest events, never one with holes.
 *
 * Made by hand over the log's own inbox: the client's iterator form leaves a subscription behind per call (measured with
 * 3.4.0; its callback form does not), and in both a page cut off by a lost connection is an error, 5 s later.
 */
export function readPage(channel: Channel, request: PageRequest): Promise<Page> {
  const { filter, from, maxEvents, maxBytes } = request;
  const query = { seq: Math.max(1, from), next_by_subj: filter, batch: maxEvents, max_bytes: maxBytes };
  return directGet(channel, { ...request, query });
}

/** The last event of a filter, from any replica. */
export async function readLast(
  channel: Channel,
  request: { stream: string; filter: string; timeoutMs: number },
): Promise<StoredEvent | undefined> {
  const page = await directGet(channel, { ...request, query: { last_by_subj: request.filter } });
  return page.events[0];
}

function directGet(channel: Channel, request: DirectGet): Promise<Page> {
  return new Promise((resolve, reject) => {
    new DirectRead(channel, request, resolve, reject).ask();
  });
}

class DirectRead {
  readonly #channel: Channel;
  readonly #request: DirectGet;
  readonly #resolve: (page: Page) => void;
  readonly #reject: (error: unknown) => void;
  readonly #deadline: number;
  readonly #stopWatching: () => void;
  #close: (() => void) | undefined;
  #events: StoredEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  #problem = 'no answer';

  constructor(channel: Channel, request: DirectGet, resolve: (page: Page) => void, reject: (e: unknown) => void) {
    this.#channel = channel;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = performance.now() + request.timeoutMs;
    this.#stopWatching = channel.onReconnect(() => this.ask());
  }

  /** Every try has its own reply subject, so that the rest of a page given up cannot mix with the next try. */
  ask(): void {
    this.#close?.();
    this.#events = [];
    const { stream, query } = this.#request;
    const call = this.#channel.open((message) => this.#received(message));
    this.#close = call.close;
    try {
      this.#channel.send(call, `$JS.API.DIRECT.GET.${stream}`, encoder.encode(JSON.stringify(query)));
      this.#askAgainIn(STALL_MS);
    } catch (error) {
      this.#fail(refusal(this.#what, error));
    }
  }

  get #what(): string {
    return `read of ${this.#request.filter}`;
  }

  #askAgainIn(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (performance.now() < this.#deadline) this.ask();
      else this.#fail(new LogUnavailableError(this.#what, this.#request.timeoutMs, this.#problem));
    }, ms);
  }

  #received(message: Msg): void {
    const headers = eventHeaders(message.headers);
    const code = message.headers?.code ?? 503;
    if (code === 404) {
      this.#done(0);
    } else if (code === 204) {
      // The end says what was sent last: a page cut in the middle by a lost connection is read again.
      const complete = headers.lastSeq === (this.#events.at(-1)?.seq ?? 0);
      if (complete) this.#done(headers.pending ?? 0);
      else this.ask();
    } else if (code !== 0) {
      this.#refused(code, message.headers?.description ?? '');
    } else {
      // Here the previous sequence is the previous match's, not the subject's: it is no chain.
      this.#events.push(new StoredEventMessage({ ...headers, lastSeq: undefined }, headers, message.data));
      // A single message, as `last_by_subj` gives, has no count and no end behind it.
      if (headers.pending === undefined) this.#done(0);
      else if (this.#events.length % SIGN_OF_LIFE === 1) this.#timer?.refresh();
    }
  }

  #refused(code: number, description: string): void {
    this.#problem = `status ${code} ${description}`;
    if (code === 503 || code === 429) this.#askAgainIn(RETRY_MS);
    else this.#fail(new LogRejectedError(this.#what, this.#problem));
  }

  #done(pending: number): void {
    this.#end();
    this.#resolve({ events: this.#events, pending });
  }

  #fail(error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #end(): void {
    clearTimeout(this.#timer);
    this.#close?.();
    this.#stopWatching();
  }
}

/** What a live message says of itself: `undefined` for what the stream did not republish. */
export function liveEvent(message: Msg): StoredEvent | undefined {
  const headers = eventHeaders(message.headers);
  return headers.seq > 0 ? new StoredEventMessage(headers, headers, message.data) : undefined;
}
