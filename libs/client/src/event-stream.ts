import { hinted, retryDelay } from './backoff.ts';
import { ConnectionError } from './errors.ts';
import { Health } from './health.ts';
import { contentType, eventsPath, type FeedOptions, pieces } from './http-feed.ts';
import { SseParser } from './sse-parser.ts';
import { Timers } from './timers.ts';
import type { Standing, Subscriber } from './transport.ts';
import { badAnswer, judge } from './verdict.ts';

/** One subscription over one `text/event-stream`, asked for again from its cursor whenever it ends before its run. */
export class EventStream {
  readonly #subscriber: Subscriber;
  readonly #options: FeedOptions;
  readonly #timers = new Timers<'retry' | 'quiet'>();
  readonly #health = new Health();
  #standing: Standing = { status: 'connecting' };
  /** Of the request under way; what an earlier one still brings is ignored. */
  #request: AbortController | undefined;
  #attempt = 0;
  #openedAt: number | undefined;
  #heardAt = 0;

  constructor(subscriber: Subscriber, options: FeedOptions) {
    this.#subscriber = subscriber;
    this.#options = options;
  }

  get standing(): Standing {
    return this.#standing;
  }

  begin(cursor: string | undefined): void {
    this.#leave();
    const request = new AbortController();
    this.#request = request;
    this.#openedAt = undefined;
    this.#become({ status: 'connecting' });
    this.#read(cursor, request).catch((error: unknown) => {
      if (this.#request === request) this.#failed(request.signal.aborted ? request.signal.reason : error);
    });
  }

  /** Does not wait for what is due later, and does not trust what has been silent. */
  check(): void {
    const { now, timing } = this.#options;
    const silent = this.#openedAt !== undefined && now() - this.#heardAt > timing.streamSilenceMs / 2;
    if (this.#standing.status === 'waiting' || silent) this.begin(this.#subscriber.resume());
  }

  close(): void {
    this.#leave();
  }

  #leave(): void {
    this.#timers.clear();
    const request = this.#request;
    this.#request = undefined;
    request?.abort();
  }

  #become(standing: Standing): void {
    this.#standing = standing;
    this.#options.onStanding();
  }

  async #read(cursor: string | undefined, request: AbortController): Promise<void> {
    const { http, timing } = this.#options;
    const path = eventsPath(this.#subscriber.target);
    const { signal } = request;
    const response = await http.attempt({
      method: 'GET',
      path,
      query: { cursor },
      accept: 'text/event-stream',
      signal,
      timeoutMs: timing.streamOpenMs,
    });
    if (this.#request !== request) return;
    if (response.status === 204) return this.#nothingFollows();
    const type = contentType(response);
    if (!type?.startsWith('text/event-stream')) throw badAnswer(path, type);
    // A proxy that keeps what it should pass on shows itself by this: the service says something at once.
    this.#expect(request, timing.streamOpenMs);
    const parser = new SseParser();
    for await (const piece of pieces(response)) {
      if (this.#request !== request) return;
      this.#heard(request);
      for (const data of parser.push(piece)) {
        this.#frame(data);
        if (this.#request !== request) return;
      }
    }
    if (this.#request === request) this.#lost('closed', parser.retryMs);
  }

  #expect(request: AbortController, withinMs: number): void {
    this.#timers.set('quiet', withinMs, () =>
      request.abort(new ConnectionError('heartbeat_missed', 'The stream is silent.')),
    );
  }

  #heard(request: AbortController): void {
    const { now, timing } = this.#options;
    this.#heardAt = now();
    this.#expect(request, timing.streamSilenceMs);
    if (this.#openedAt !== undefined) return;
    this.#openedAt = this.#heardAt;
    this.#become({ status: 'open' });
  }

  #frame(data: string): void {
    const frame = this.#options.readFrame(data);
    switch (frame?.type) {
      case 'snapshot':
      case 'event':
      case 'caught_up':
      case 'end':
        this.#subscriber.receive(frame);
        return;
      case 'error':
        throw this.#options.refusal(frame);
    }
  }

  /** 204: the run has ended, and the subscriber has everything. If its state does not say so, it begins anew. */
  #nothingFollows(): void {
    const { end } = this.#subscriber;
    if (end) this.#subscriber.receive(end);
    else this.begin(undefined);
  }

  #failed(error: unknown): void {
    const verdict = judge(error);
    switch (verdict.what) {
      case 'fatal':
        if (this.#expired(verdict.error)) return;
        this.#leave();
        this.#options.onFatal(verdict.error);
        return;
      case 'refused':
        this.#leave();
        this.#subscriber.refused(verdict.error);
        return;
      case 'trouble':
        this.#health.held();
        this.#wait(verdict.reason, this.#delay(verdict.afterMs));
        return;
      case 'unreached':
        this.#lost(verdict.reason, undefined);
    }
  }

  /** A stream that outlives its token is ended by the service; the next request has a fresh one. */
  #expired(error: { code: string }): boolean {
    if (error.code !== 'token_expired' || this.#openedAt === undefined || !this.#options.http.renewable) return false;
    this.begin(this.#subscriber.resume());
    return true;
  }

  #lost(reason: string, retryMs: number | undefined): void {
    const { now, timing } = this.#options;
    const lasted = this.#openedAt === undefined ? undefined : now() - this.#openedAt;
    if (lasted === undefined) this.#health.failed('unopened');
    else if (retryMs === undefined && lasted < timing.steadyMs) this.#health.failed('short');
    else this.#health.held();
    if (lasted !== undefined) this.#attempt = 0;
    this.#wait(reason, this.#delay(retryMs));
    if (this.#health.blocked) this.#options.onBlocked();
  }

  #delay(hintMs: number | undefined): number {
    const backedOff = retryDelay(Math.max(0, this.#attempt - 1), this.#options.random());
    return hinted(hintMs, this.#attempt, backedOff);
  }

  #wait(reason: string, delay: number): void {
    this.#leave();
    this.#attempt += 1;
    this.#subscriber.disconnected();
    this.#timers.set('retry', delay, () => this.begin(this.#subscriber.resume()));
    this.#become({ status: 'waiting', reason, retry_at: this.#options.now() + delay });
  }
}
