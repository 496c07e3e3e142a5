import { isRunEnded, type RunState } from '@toolstream/proto-events';
import { retryDelay } from './backoff.ts';
import { type ApiError, isFinal, type ToolstreamError } from './errors.ts';
import { Timers } from './timers.ts';
import { forgotten, type Output, restarted, resumeCursor, type SubscriptionFrame, step, type Track } from './track.ts';
import { keyOf, type MessageFrame, type Subscriber, type Target } from './transport.ts';

export interface Listener<S> {
  output(output: Output<S>): void;
  /** The subscription is over when `fatal`; otherwise it is tried again. */
  failed(error: ToolstreamError, fatal: boolean): void;
}

/** What carries a channel's frames, whichever transport that is at the moment. */
export interface Link {
  resubscribe(subscriber: Subscriber, cursor: string | undefined): void;
  /** Resuming has failed again and again: start over on a new connection. */
  giveUp(subscriber: Subscriber): void;
  over(subscriber: Subscriber): void;
  random(): number;
}

const ANSWER_TIMEOUT_MS = 10_000;
/** Resumes that bring nothing before a snapshot is asked for, and before the connection is given up. */
const RESUMES_BEFORE_SNAPSHOT = 3;
const RESUMES_BEFORE_RECONNECT = 6;

/** One subscription to a run or an app, shared by all who watch the same. */
export class Channel<S> implements Subscriber {
  readonly key: string;
  readonly target: Target;
  readonly listeners = new Set<Listener<S>>();
  readonly #link: Link;
  readonly #timers = new Timers<'answer' | 'retry'>();
  #track: Track<S>;
  #resumes = 0;

  constructor(target: Target, track: Track<S>, link: Link) {
    this.key = keyOf(target);
    this.target = target;
    this.#track = track;
    this.#link = link;
  }

  get track(): Track<S> {
    return this.#track;
  }

  get cursor(): string | undefined {
    return resumeCursor(this.#track);
  }

  /** What has been applied; `undefined` before anything was. */
  get position(): string | undefined {
    return this.#track.state === undefined ? undefined : this.cursor;
  }

  get end(): SubscriptionFrame | undefined {
    const { state, fold } = this.#track;
    const { cursor } = this;
    if (fold.kind !== 'run' || state === undefined || cursor === undefined) return undefined;
    const { run_id, status } = state as RunState;
    return isRunEnded(status) ? { type: 'end', run: run_id, status, cursor } : undefined;
  }

  resume(): string | undefined {
    this.#track = restarted(this.#track);
    this.#timers.stop('retry');
    return this.cursor;
  }

  asked(): void {
    this.#timers.set('answer', ANSWER_TIMEOUT_MS, () => this.#again());
  }

  /** Whoever joins now has caught up when something carries it again. */
  disconnected(): void {
    this.#timers.clear();
    this.#track = restarted(this.#track);
  }

  receive(frame: SubscriptionFrame | MessageFrame): void {
    if (frame.type === 'waiting' || frame.type === 'attached') return;
    const { track, outputs, resubscribe } = step(this.#track, frame);
    this.#track = track;
    if (track.phase !== 'resyncing') this.#timers.stop('answer');
    if (track.phase === 'live') this.#resumes = 0;
    for (const output of outputs) for (const listener of [...this.listeners]) listener.output(output);
    if (resubscribe) this.#again();
    if (track.phase === 'ended') this.#over();
  }

  refused(error: ApiError): void {
    const fatal = isFinal(error);
    for (const listener of [...this.listeners]) listener.failed(error, fatal);
    if (fatal) {
      this.#over();
      return;
    }
    // The service is in trouble, and the first attempt is no less of a burden than the others.
    this.#resumes = Math.max(1, this.#resumes);
    this.#again();
  }

  tell(error: ToolstreamError): void {
    for (const listener of [...this.listeners]) listener.failed(error, false);
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
    this.#link.over(this);
  }

  /** The first resume goes out at once, so that one lost frame costs one round trip; further ones are spread out. */
  #again(): void {
    const resumes = this.#resumes++;
    if (resumes >= RESUMES_BEFORE_RECONNECT) {
      this.#resumes = 0;
      this.#link.giveUp(this);
      return;
    }
    if (resumes >= RESUMES_BEFORE_SNAPSHOT) this.#track = forgotten(this.#track);
    if (resumes === 0) this.#resubscribe();
    else this.#timers.set('retry', retryDelay(resumes, this.#link.random()), () => this.#resubscribe());
  }

  /** The phase stays `resyncing`: frames of the subscription before are still on their way. */
  #resubscribe(): void {
    this.#link.resubscribe(this, this.cursor);
  }
}
