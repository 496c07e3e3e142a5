import type { Msg } from '@nats-io/nats-core';
import { eventHeaders } from './event-headers.ts';
import { type EventPlace, StoredEventMessage } from './stored-event.ts';

const encoder = new TextEncoder();
const ACK = encoder.encode('+ACK');
const WORKING = encoder.encode('+WPI');

/** A message that a durable consumer delivered. Also timers and advisories come as this: they have data, but no event. */
export class Delivered extends StoredEventMessage {
  /** 1 for the first delivery. */
  readonly deliveries: number;
  /** Place in the consumer's own order, counting every delivery: without losses it grows by one. */
  readonly deliverySeq: number;
  /** Messages of this consumer behind this one. */
  readonly pending: number;
  readonly #message: Msg;

  constructor(message: Msg, info: DeliveryInfo) {
    super(info, eventHeaders(message.headers), message.data);
    this.deliveries = info.deliveries;
    this.deliverySeq = info.deliverySeq;
    this.pending = info.pending;
    this.#message = message;
  }

  header(name: string): string {
    return this.#message.headers?.get(name) ?? '';
  }

  ack(): void {
    this.#message.respond(ACK);
  }

  /** Restarts the time within which this message must be acknowledged. */
  working(): void {
    this.#message.respond(WORKING);
  }

  /** Gives it back, at once or after a delay. Counts as a delivery. */
  nak(delayMs = 0): void {
    const body = delayMs > 0 ? `-NAK ${JSON.stringify({ delay: Math.round(delayMs * 1e6) })}` : '-NAK';
    this.#message.respond(encoder.encode(body));
  }
}

interface DeliveryInfo extends EventPlace {
  deliveries: number;
  deliverySeq: number;
  pending: number;
}

/**
 * `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<delivery seq>.<time>.<pending>`; newer servers put domain and account
 * before the stream and a random token last. `undefined` for what is no delivery.
 */
export function delivered(message: Msg): Delivered | undefined {
  const parts = (message.reply ?? '').split('.');
  if (parts[0] !== '$JS' || parts[1] !== 'ACK' || parts.length < 9) return undefined;
  const at = parts.length >= 11 ? 6 : 4;
  const [deliveries, seq, deliverySeq, nanos, pending] = parts.slice(at, at + 5).map(Number);
  if (!seq || !deliverySeq) return undefined;
  return new Delivered(message, {
    seq,
    subject: message.subject,
    time: Math.floor((nanos ?? 0) / 1e6),
    deliveries: deliveries ?? 1,
    deliverySeq,
    pending: pending ?? 0,
  });
}
