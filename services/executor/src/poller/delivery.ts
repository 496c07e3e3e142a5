import type { Msg, NatsConnection } from '@nats-io/nats-core';

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const WORKING = encoder.encode('+WPI');

/** What the server says of a delivery, in the subject that it is acknowledged on. */
export interface DeliveryInfo {
  readonly consumer: string;
  /** 1 for a first delivery. */
  readonly deliveries: number;
  readonly streamSeq: number;
  /** Messages that the consumer still had to deliver after this one. */
  readonly pending: number;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`, or the longer form with
 * domain and account before the stream and a random token at the end.
 */
export function parseDeliveryInfo(reply: string): DeliveryInfo | undefined {
  const parts = reply.split('.');
  if (parts[0] !== '$JS' || parts[1] !== 'ACK') return undefined;
  const at = parts.length === 9 ? 4 : parts.length >= 11 ? 6 : -1;
  if (at < 0) return undefined;
  const numbers = [parts[at], parts[at + 1], parts[at + 4]].map(Number);
  const [deliveries = Number.NaN, streamSeq = Number.NaN, pending = Number.NaN] = numbers;
  if (![deliveries, streamSeq, pending].every(Number.isSafeInteger)) return undefined;
  return { consumer: parts[at - 1] ?? '', deliveries, streamSeq, pending };
}

/** One delivered job message and the ways to answer it. All answers are fire-and-forget: only the event log is proof. */
export class Delivery {
  readonly data: Uint8Array;
  readonly info: DeliveryInfo;
  readonly #nc: NatsConnection;
  readonly #reply: string;

  constructor(nc: NatsConnection, msg: Msg, info: DeliveryInfo) {
    this.data = msg.data;
    this.info = info;
    this.#nc = nc;
    this.#reply = msg.reply ?? '';
  }

  ack(): void {
    this.#answer(ACK);
  }

  /** Starts the lease anew. */
  working(): void {
    this.#answer(WORKING);
  }

  /** Offers the message to another executor. Counts as a delivery: only for what cannot be held here at all. */
  nak(delayMs: number): void {
    this.#answer(encoder.encode(`-NAK {"delay":${Math.round(delayMs * 1e6)}}`));
  }

  /** Gives the message up for good; the server publishes an advisory with the reason. */
  term(reason: string): void {
    this.#answer(encoder.encode(`+TERM ${reason.replaceAll(/[\r\n]+/g, ' ').slice(0, 500)}`));
  }

  #answer(payload: Uint8Array): void {
    if (!this.#nc.isClosed()) this.#nc.publish(this.#reply, payload);
  }
}
