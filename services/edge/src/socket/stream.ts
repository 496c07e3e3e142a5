import type { ServerResponse } from 'node:http';
import type { Principal } from '../auth/principal.ts';
import type { EdgeConfig } from '../config.ts';
import type { Flusher } from '../feeds/flusher.ts';
import { Frame } from '../feeds/frame.ts';
import type { Subscription } from '../feeds/subscription.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { Refusal } from '../problems.ts';
import type { Client, Clients } from './clients.ts';
import { whenGone } from './gone.ts';
import { ClientQueue, type Sink } from './queue.ts';

const COMMENT = Buffer.from(':\n\n');
const RETRY_MS = 2_000;

/** Why a stream ends before what it tells about has. */
export interface Farewell {
  readonly code: string;
  readonly message: string;
  /** When to come back to another edge. */
  readonly retryMs?: number;
}

/** What a stream says on its own account. */
export interface StreamWords {
  readonly opening: string;
  farewell(why: Farewell): Buffer | string;
}

const EVENT_SOURCE: StreamWords = {
  opening: `retry: ${RETRY_MS}\n\n`,
  farewell: ({ code, message, retryMs }) =>
    retryMs === undefined ? Frame.of({ type: 'error', code, message }).sse : `retry: ${retryMs}\n\n`,
};

/** One SSE response: the same queue, the same subscription as a WebSocket's, in EventSource's words if no others are given. */
export class EventStream implements Client {
  readonly kind = 'stream';
  readonly queue: ClientQueue;
  readonly #response: ServerResponse;
  readonly #clients: Clients;
  readonly #config: EdgeConfig;
  readonly #principal: Principal;
  readonly #onClose: () => void;
  readonly #words: StreamWords;
  #subscription: Pick<Subscription, 'drained' | 'close'> | undefined;
  #beatDue: number;
  #ended = false;

  constructor(
    response: ServerResponse,
    parts: { config: EdgeConfig; flusher: Flusher; clients: Clients; metrics: EdgeMetrics },
    principal: Principal,
    onClose: () => void,
    words: StreamWords = EVENT_SOURCE,
  ) {
    this.#response = response;
    this.#clients = parts.clients;
    this.#config = parts.config;
    this.#principal = principal;
    this.#onClose = onClose;
    this.#words = words;
    this.#beatDue = Date.now() + this.#beatMs;
    this.queue = new ClientQueue(responseSink(response), 'sse', parts, {
      onDrained: (waited) => this.#subscription?.drained(waited),
      onSlow: () => {
        parts.metrics.slow('close');
        this.terminate();
      },
    });
    whenGone(response, () => this.#gone());
    response.write(words.opening);
    parts.clients.add(this);
  }

  get subscriptions(): number {
    return this.#subscription ? 1 : 0;
  }

  get waitingBytes(): number {
    return this.queue.waiting;
  }

  attach(subscription: Pick<Subscription, 'drained' | 'close'>): void {
    this.#subscription = subscription;
    if (this.#ended) subscription.close();
  }

  tick(now: number): void {
    if (this.#ended) return;
    if (now >= this.#principal.exp * 1000 + this.#config.TOOLSTREAM_TOKEN_GRACE_MS) {
      this.#leave(new Refusal('token_expired', 'The token has expired: connect again with a new one.'));
      return;
    }
    if (now < this.#beatDue) return;
    this.#beatDue = now + this.#beatMs;
    if (!this.queue.congested) this.#response.write(COMMENT);
  }

  /** Everything was sent. */
  end(): void {
    if (this.#ended) return;
    this.queue.flush();
    this.#ended = true;
    this.#response.end();
  }

  get caller(): Principal {
    return this.#principal;
  }

  revoke(): void {
    this.#leave(new Refusal('token_revoked'));
  }

  drain(retryMs: number): void {
    this.#leave({ code: 'unavailable', message: 'This edge is shutting down: connect again.', retryMs });
  }

  #leave({ code, message, retryMs }: Farewell): void {
    if (this.#ended) return;
    this.queue.flush();
    this.#response.write(this.#words.farewell({ code, message, ...(retryMs === undefined ? {} : { retryMs }) }));
    this.end();
  }

  /** The connection, because a response that waits behind another one has none to destroy. */
  terminate(): void {
    this.#response.req.socket.destroy();
  }

  /** Comments go out often enough for proxies that close silent connections. */
  get #beatMs(): number {
    return Math.min(this.#config.TOOLSTREAM_HEARTBEAT_MS, 15_000);
  }

  #gone(): void {
    this.#ended = true;
    this.queue.close();
    this.#clients.remove(this);
    this.#subscription?.close();
    this.#onClose();
  }
}

function responseSink(response: ServerResponse): Sink {
  return {
    drainMark: response.writableHighWaterMark,
    write(chunks) {
      if (response.writableEnded || response.destroyed) return;
      response.write(chunks.length === 1 ? chunks[0] : Buffer.concat(chunks));
    },
    get buffered() {
      return response.writableLength;
    },
    onDrain: (listener) => {
      response.on('drain', listener);
    },
  };
}
