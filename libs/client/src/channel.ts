import type { ClientFrame } from '@toolstream/proto-events';
import { retryDelay } from './backoff.ts';
import type { ApiError, ToolstreamError } from './errors.ts';
import { Timers } from './timers.ts';
import { forgotten, type Output, restarted, resumeCursor, type SubscriptionFrame, step, type Track } from './track.ts';

export type Target = { readonly run: string } | { readonly app: string };
export const keyOf = (target: { run?: string | undefined; app?: string | undefined }): string =>
  target.app === undefined ? `run:${target.run}` : `app:${target.app}`;

export interface Listener<S> {
  output(output: Output<S>): void;
  /** The subscription is over when `fatal`; otherwise it is tried again. */
  failed(error: ToolstreamError, fatal: boolean): void;
}

export interface Link {
  send(frame: ClientFrame): boolean;
  random(): number;
  /** Resuming has failed again and again: start over on a new connection. */
  giveUp(): void;
  over(key: string): void;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** Resumes that bring nothing before a snapshot is asked for, and before the connection is given up. */
const RESUMES_BEFORE_SNAPSHOT = 3;
const RESUMES_BEFORE_RECONNECT = 6;

/** One subscription of the socket, shared by all who watch the same run or app. */
export class Channel<S> {
  readonly target: Target;
  readonly listeners = new Set<Listener<S>>();
  readonly #link: Link;
  readonly #timers = new Timers<'answer' | 'retry'>();
  #track: Track<S>;
  #resumes = 0;

  constructor(target: Target, track: Track<S>, link: Link) {
    this.target = target;
    this.#track = track;
    this.#link = link;
  }

  get track(): Track<S> {
    return this.#track;
  }

  get position(): string | undefined {
    return this.#track.state === undefined ? undefined : resumeCursor(this.#track);
  }

  /** What a hello frame says of this subscription, on a new connection. */
  resume(): Target & { cursor?: string } {
    this.#track = restarted(this.#track);
    this.#timers.stop('retry');
    this.#expectAnswer();
    const cursor = resumeCursor(this.#track);
    return cursor === undefined ? this.target : { ...this.target, cursor };
  }

  subscribe(): void {
    this.#link.send({ type: 'subscribe', ...this.resume() });
  }

  disconnected(): void {
    this.#timers.clear();
  }

  receive(frame: SubscriptionFrame): void {
    const { track, outputs, resubscribe } = step(this.#track, frame);
    this.#track = track;
    if (track.phase !== 'resyncing') this.#timers.stop('answer');
    if (track.phase === 'live') this.#resumes = 0;
    for (const output of outputs) for (const listener of [...this.listeners]) listener.output(output);
    if (resubscribe) this.#again();
    if (track.phase === 'ended') this.#over();
  }

  refused(error: ApiError): void {
    const fatal = error.status < 500 && error.status !== 429;
    for (const listener of [...this.listeners]) listener.failed(error, fatal);
    if (fatal) {
      this.#over();
      return;
    }
    // The service is in trouble, and the first attempt is no less of a burden than the others.
    this.#resumes = Math.max(1, this.#resumes);
    this.#again();
  }

  fail(error: ToolstreamError): void {
    for (const listener of [...this.listeners]) listener.failed(error, true);
    this.#over();
  }

  close(): void {
    this.#timers.clear();
    this.listeners.clear();
  }

  #over(): void {
    this.close();
    this.#link.over(keyOf(this.target));
  }

  #expectAnswer(): void {
    this.#timers.set('answer', ANSWER_TIMEOUT_MS, () => this.#again());
  }

  /** The first resume goes out at once, so that one lost frame costs one round trip; further ones are spread out. */
  #again(): void {
    const resumes = this.#resumes++;
    if (resumes >= RESUMES_BEFORE_RECONNECT) {
      this.#resumes = 0;
      this.#link.giveUp();
      return;
    }
    if (resumes >= RESUMES_BEFORE_SNAPSHOT) this.#track = forgotten(this.#track);
    if (resumes === 0) this.#resubscribe();
    else this.#timers.set('retry', retryDelay(resumes, this.#link.random()), () => this.#resubscribe());
  }

  /** The phase stays `resyncing`: frames of the subscription before are still on their way. */
  #resubscribe(): void {
    this.#expectAnswer();
    const cursor = resumeCursor(this.#track);
    this.#link.send({ type: 'subscribe', ...this.target, ...(cursor === undefined ? {} : { cursor }) });
  }
}
