import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { PIN_GROUP } from './consumer-config.ts';
import { type Delivered, delivered } from './delivered.ts';
import { inboxOf } from './inbox.ts';

export interface PullOptions {
  stream: string;
  durable: string;
  /** Messages asked for and not yet taken by the reader: the bound of this reader's memory, in messages … */
  maxMessages: number;
  /** … and in bytes. */
  maxBytes: number;
  expiresMs: number;
  pinned: boolean;
  onMessage: (message: Delivered) => void;
  /**
   * Messages may have been delivered into the void: the connection was lost, the server fell silent, or the consumer
   * is not there. The reader repairs what it must (and may `reset`); pulling goes on by itself.
   */
  onTrouble: (trouble: Trouble) => void;
  /** The server refuses the subscription: nothing can ever arrive. */
  onError: (error: Error) => void;
}

export type Trouble = 'reconnected' | 'silence' | 'no_consumer' | 'deleted';

const HEARTBEAT_MS = 1_000;
const SILENCE_MS = 3_500;
const RETRY_MS = 250;

/**
 * Asks a pull consumer for messages so that at most `maxMessages` are asked for or waiting here. Unlike the client's
 * `consume` in callback form it never takes more than its reader has room for, and it tells its reader every time that
 * messages may have been lost in transit.
 */
export class Puller {
  readonly #nc: NatsConnection;
  readonly #options: PullOptions;
  readonly #subscription: Subscription;
  readonly #watch: NodeJS.Timeout;
  #taken = 0;
  #asked = 0;
  #pinId = '';
  #lastSign = performance.now();
  #stopped: Promise<void> | undefined;

  constructor(nc: NatsConnection, options: PullOptions) {
    this.#nc = nc;
    this.#options = options;
    this.#subscription = nc.subscribe(inboxOf(nc), {
      callback: (error, message) => {
        if (error) this.#options.onError(error);
        else this.#received(message);
      },
    });
    this.#watch = setInterval(() => this.#checkSigns(), 500);
  }

  /** Call when the reader is done with messages, and to begin. */
  pull(released = 0): void {
    this.#taken = Math.max(0, this.#taken - released);
    if (this.#stopped !== undefined || this.#nc.isClosed()) return;
    const { maxMessages, maxBytes, expiresMs, stream, durable, pinned } = this.#options;
    const room = maxMessages - this.#taken - this.#asked;
    if (this.#asked > maxMessages / 2 || room < Math.min(maxMessages, Math.max(1, maxMessages / 4))) return;
    const request = {
      batch: room,
      max_bytes: maxBytes,
      expires: expiresMs * 1e6,
      idle_heartbeat: Math.min(HEARTBEAT_MS, expiresMs / 2 - 1) * 1e6,
      ...(pinned ? { group: PIN_GROUP } : {}),
      ...(pinned && this.#pinId ? { id: this.#pinId } : {}),
    };
    this.#asked += room;
    this.#lastSign = performance.now();
    this.#nc.publish(`$JS.API.CONSUMER.MSG.NEXT.${stream}.${durable}`, JSON.stringify(request), {
      reply: this.#subscription.getSubject(),
    });
  }

  /** What was asked for is void: ask anew. */
  reset(): void {
    this.#asked = 0;
    this.pull();
  }

  /** Stops asking and returns once nothing more can arrive. */
  stop(): Promise<void> {
    clearInterval(this.#watch);
    this.#stopped ??= this.#nc.isClosed() ? Promise.resolve() : this.#subscription.drain().catch(() => {});
    return this.#stopped;
  }

  #received(message: Msg): void {
    this.#lastSign = performance.now();
    const arrived = delivered(message);
    if (!arrived) {
      this.#status(message);
      return;
    }
    this.#asked = Math.max(0, this.#asked - 1);
    this.#taken++;
    if (this.#options.pinned) this.#pinId = arrived.header('Nats-Pin-Id') || this.#pinId;
    this.#options.onMessage(arrived);
    this.pull();
  }

  #status(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const description = message.headers?.description.toLowerCase() ?? '';
    if (code === 100) return;
    const left = Number(message.headers?.get('Nats-Pending-Messages'));
    this.#asked = left > 0 ? Math.max(0, this.#asked - left) : 0;
    if (code === 423) this.#pinId = '';
    if (code === 404 || code === 408 || code === 423 || description.includes('maxbytes')) {
      this.pull();
    } else if (description.includes('consumer deleted')) {
      this.#options.onTrouble('deleted');
    } else {
      // No leader, no consumer, a server going down: ask again soon, not at once.
      setTimeout(() => this.reset(), RETRY_MS);
      if (code === 503) this.#options.onTrouble('no_consumer');
    }
  }

  /** A pull that waits gets a heartbeat every second. */
  #checkSigns(): void {
    if (this.#asked === 0 || performance.now() - this.#lastSign < SILENCE_MS) return;
    this.reset();
    this.#options.onTrouble('silence');
  }
}
