import type { Msg, MsgHdrs } from '@nats-io/nats-core';
import { type Call, type Channel, refusal } from './channel.ts';
import { LogUnavailableError } from './errors.ts';
import type { Outcome } from './outcome.ts';

const decoder = new TextDecoder();

export interface Delivery {
  /** For error messages: `append to ts.evt.…`. */
  readonly what: string;
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers?: MsgHdrs;
  readonly timeoutMs: number;
  /** Reads an answer's body. */
  readonly interpret: (body: string) => Outcome;
}

export type Settled = Exclude<Outcome, { kind: 'again' }>;

/** A leader change stalls R3 for 4 to 7 s; within it the request is sent again this often. */
const RESEND_AFTER_MS = 2_000;
const BACKOFF_MS = [10, 25, 50, 100, 250, 500];

/**
 * Sends one request, identically, until an answer settles it or its time is up. A lost answer, a server without a
 * leader, a full ingest queue and a lost connection all end in another send; an answer to an earlier send counts.
 * Rejects with LogUnavailableError at the deadline and LogRejectedError for what can never be sent.
 */
export function deliver(channel: Channel, delivery: Delivery): Promise<Settled> {
  return new Promise((resolve, reject) => {
    new Attempts(channel, delivery, resolve, reject).send();
  });
}

class Attempts {
  readonly #channel: Channel;
  readonly #delivery: Delivery;
  readonly #resolve: (settled: Settled) => void;
  readonly #reject: (error: unknown) => void;
  readonly #call: Call;
  readonly #stopWatching: () => void;
  readonly #deadline: number;
  #timer: NodeJS.Timeout | undefined;
  #backoff = 0;
  #problem = 'no answer';

  constructor(channel: Channel, delivery: Delivery, resolve: (settled: Settled) => void, reject: (e: unknown) => void) {
    this.#channel = channel;
    this.#delivery = delivery;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#deadline = performance.now() + delivery.timeoutMs;
    this.#call = channel.open((message) => this.#answered(message));
    this.#stopWatching = channel.onReconnect(() => this.send());
  }

  send(): void {
    const { subject, payload, headers } = this.#delivery;
    try {
      this.#channel.send(this.#call, subject, payload, headers);
    } catch (error) {
      this.#finish(() => this.#reject(refusal(this.#delivery.what, error)));
      return;
    }
    this.#sendAgainIn(RESEND_AFTER_MS);
  }

  #sendAgainIn(ms: number): void {
    clearTimeout(this.#timer);
    const left = this.#deadline - performance.now();
    this.#timer = left > ms ? setTimeout(() => this.send(), ms) : setTimeout(() => this.#expired(), Math.max(0, left));
  }

  #answered(message: Msg): void {
    const data = message.data;
    const outcome: Outcome =
      data.length === 0
        ? { kind: 'again', reason: `status ${message.headers?.code ?? 'unknown'}` }
        : this.#delivery.interpret(decoder.decode(data));
    if (outcome.kind === 'again') {
      this.#problem = outcome.reason;
      this.#sendAgainIn(BACKOFF_MS[Math.min(this.#backoff++, BACKOFF_MS.length - 1)] ?? 500);
      return;
    }
    this.#finish(() => this.#resolve(outcome));
  }

  #expired(): void {
    const { what, timeoutMs } = this.#delivery;
    this.#finish(() => this.#reject(new LogUnavailableError(what, timeoutMs, this.#problem)));
  }

  #finish(settle: () => void): void {
    clearTimeout(this.#timer);
    this.#call.close();
    this.#stopWatching();
    settle();
  }
}
