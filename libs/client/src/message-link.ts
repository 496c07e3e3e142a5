import { retryDelay } from './backoff.ts';
import { type ApiError, isFinal, type ToolstreamError } from './errors.ts';
import { Timers } from './timers.ts';
import type { SubscriptionFrame } from './track.ts';
import { keyOf, type MessageFrame, type Subscriber } from './transport.ts';

export interface MessageLinkOptions {
  random(): number;
  resubscribe(link: MessageLink): void;
  /** `fresh`: it was accepted while this was watched, so that it is to be seen from its first event on. */
  attached(run: string, app: string, fresh: boolean): void;
  failed(error: ToolstreamError, fatal: boolean): void;
}

const ANSWER_TIMEOUT_MS = 10_000;

/** A subscription to a message. It brings no events: it says which run to follow. */
export class MessageLink implements Subscriber {
  readonly key: string;
  readonly target: { readonly message_id: string };
  readonly cursor = undefined;
  readonly position = undefined;
  readonly end = undefined;
  readonly #options: MessageLinkOptions;
  readonly #timers = new Timers<'answer'>();
  #run: string | undefined;
  #waited = false;
  #tries = 0;

  constructor(message_id: string, options: MessageLinkOptions) {
    this.target = { message_id };
    this.key = keyOf(this.target);
    this.#options = options;
  }

  resume(): undefined {
    return undefined;
  }

  asked(): void {
    this.#timers.set('answer', ANSWER_TIMEOUT_MS, () => this.#options.resubscribe(this));
  }

  disconnected(): void {
    this.#timers.clear();
  }

  receive(frame: SubscriptionFrame | MessageFrame): void {
    this.#timers.stop('answer');
    this.#tries = 0;
    if (frame.type === 'waiting') this.#waited = true;
    if (frame.type !== 'attached' || frame.run === this.#run) return;
    this.#run = frame.run;
    const fresh = this.#waited;
    // Whatever is newer than this was accepted later.
    this.#waited = true;
    this.#options.attached(frame.run, frame.app, fresh);
  }

  refused(error: ApiError): void {
    const fatal = isFinal(error);
    this.#options.failed(error, fatal);
    if (fatal) return;
    const delay = retryDelay(1 + this.#tries++, this.#options.random());
    this.#timers.set('answer', delay, () => this.#options.resubscribe(this));
  }

  close(): void {
    this.#timers.clear();
  }
}
