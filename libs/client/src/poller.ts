import type { RunListItem, RunSnapshot } from '@toolstream/proto-events';
import { retryDelay } from './backoff.ts';
import { ApiError } from './errors.ts';
import { contentType, eventsPath, type FeedOptions, pieces } from './http-feed.ts';
import { Lines } from './lines.ts';
import { Timers } from './timers.ts';
import type { Standing, Subscriber } from './transport.ts';
import { badAnswer, judge } from './verdict.ts';

/** Runs work when there is room for another request. */
export type Gate = (work: () => Promise<void>) => void;

/**
 * One subscription by asking again and again for what lies behind its cursor: soon after something came, less often while
 * nothing does. The answers are the frames of a live subscription, so they prove just as much.
 */
export class Poller {
  readonly #subscriber: Subscriber;
  readonly #options: FeedOptions;
  readonly #gate: Gate;
  readonly #timers = new Timers<'next' | 'late'>();
  #standing: Standing = { status: 'connecting' };
  #request: AbortController | undefined;
  #pauseMs: number;
  #attempt = 0;
  #fresh = true;
  #reason: 'cold' | 'epoch' = 'cold';
  #run: string | undefined;

  constructor(subscriber: Subscriber, options: FeedOptions, gate: Gate) {
    this.#subscriber = subscriber;
    this.#options = options;
    this.#gate = gate;
    this.#pauseMs = options.timing.pollMinMs;
  }

  get standing(): Standing {
    return this.#standing;
  }

  /** Takes the subscription up, or takes it up again after a gap. */
  begin(cursor: string | undefined): void {
    this.#fresh = true;
    this.#ask(cursor);
  }

  /** There is likely something new. */
  hurry(): void {
    this.#pauseMs = this.#options.timing.pollMinMs;
    if (this.#timers.isSet('next')) this.#ask(this.#subscriber.cursor);
  }

  close(): void {
    this.#timers.clear();
    const request = this.#request;
    this.#request = undefined;
    request?.abort();
  }

  #ask(cursor: string | undefined): void {
    this.close();
    const request = new AbortController();
    this.#request = request;
    this.#gate(async () => {
      if (this.#request !== request) return;
      this.#timers.set('late', this.#options.timing.pollAnswerMs, () => request.abort());
      try {
        const news = await this.#answer(cursor, request);
        if (this.#request === request) this.#answered(news);
      } catch (error) {
        if (this.#request === request) this.#failed(error, cursor);
      }
    });
  }

  /** Whether there was anything new. */
  async #answer(cursor: string | undefined, request: AbortController): Promise<boolean> {
    const { target } = this.#subscriber;
    if ('message_id' in target) return this.#lookUp(target.message_id, request);
    if ('run' in target && cursor === undefined) return this.#state(target.run, request);
    const { http, timing } = this.#options;
    const path = eventsPath(target);
    const response = await http.attempt({
      method: 'GET',
      path,
      query: { cursor },
      accept: 'application/x-ndjson',
      signal: request.signal,
      timeoutMs: timing.pollAnswerMs,
    });
    const type = contentType(response);
    if (!type?.startsWith('application/x-ndjson')) throw badAnswer(path, type);
    const lines = new Lines();
    let news = false;
    for await (const piece of pieces(response)) {
      for (const line of lines.push(piece)) {
        if (this.#request !== request) return news;
        news = true;
        this.#frame(line);
      }
    }
    return news;
  }

  #frame(line: string): void {
    const frame = this.#options.readFrame(line);
    if (frame?.type === 'snapshot') this.#subscriber.receive({ ...frame, reason: this.#reason });
    else if (frame?.type === 'event' || frame?.type === 'end') this.#subscriber.receive(frame);
  }

  async #state(run: string, request: AbortController): Promise<boolean> {
    const state = await this.#json<RunSnapshot>(`/v1/runs/${encodeURIComponent(run)}`, {}, request);
    if (this.#request !== request) return false;
    this.#subscriber.receive({ type: 'snapshot', run, cursor: state.cursor, reason: this.#reason, state });
    return true;
  }

  /** A message is no feed of its own: this finds the run to follow. */
  async #lookUp(message_id: string, request: AbortController): Promise<boolean> {
    const { runs } = await this.#json<{ runs: RunListItem[] }>('/v1/runs', { message_id, limit: 1 }, request);
    const [newest] = runs;
    if (this.#request !== request || (!this.#fresh && newest?.run_id === this.#run)) return false;
    this.#run = newest?.run_id;
    if (newest) this.#subscriber.receive({ type: 'attached', message_id, run: newest.run_id, app: newest.app });
    else this.#subscriber.receive({ type: 'waiting', message_id });
    return true;
  }

  async #json<T>(path: string, query: Record<string, string | number>, { signal }: AbortController): Promise<T> {
    const { http, timing } = this.#options;
    const response = await http.attempt({ method: 'GET', path, query, signal, timeoutMs: timing.pollAnswerMs });
    const type = contentType(response);
    if (!type?.startsWith('application/json')) throw badAnswer(path, type);
    return (await response.json()) as T;
  }

  /** The answer was whole: it held everything up to the moment it was asked for. */
  #answered(news: boolean): void {
    const { timing, random } = this.#options;
    const { target, cursor, end } = this.#subscriber;
    this.#attempt = 0;
    this.#reason = 'cold';
    if (this.#fresh && cursor !== undefined && !('message_id' in target)) {
      this.#fresh = false;
      this.#subscriber.receive({ type: 'caught_up', ...target, cursor });
    }
    if ('message_id' in target) this.#fresh = false;
    if (end) {
      this.#subscriber.receive(end);
      return;
    }
    this.#pauseMs = news ? timing.pollMinMs : Math.min(timing.pollMaxMs, this.#pauseMs * 1.5);
    this.#next(this.#pauseMs * (0.8 + 0.4 * random()));
    if (this.#standing.status !== 'open') this.#become({ status: 'open' });
  }

  #failed(error: unknown, cursor: string | undefined): void {
    if (error instanceof ApiError && error.code === 'bad_cursor' && cursor !== undefined) {
      // The log is not the one of this cursor: only a snapshot can go on.
      this.#reason = 'epoch';
      this.begin(undefined);
      return;
    }
    const verdict = judge(error);
    if (verdict.what === 'fatal') {
      this.close();
      this.#options.onFatal(verdict.error);
    } else if (verdict.what === 'refused') {
      this.close();
      this.#subscriber.refused(verdict.error);
    } else {
      const delay = Math.max(
        'afterMs' in verdict ? (verdict.afterMs ?? 0) : 0,
        retryDelay(this.#attempt++, this.#options.random()),
      );
      this.#subscriber.disconnected();
      this.#fresh = true;
      this.#next(delay);
      this.#become({ status: 'waiting', reason: verdict.reason, retry_at: this.#options.now() + delay });
    }
  }

  #next(delay: number): void {
    this.close();
    this.#timers.set('next', delay, () => this.#ask(this.#subscriber.cursor));
  }

  #become(standing: Standing): void {
    this.#standing = standing;
    this.#options.onStanding();
  }
}
