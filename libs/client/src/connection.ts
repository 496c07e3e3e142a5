import {
  type ClientFrame,
  type CloseCode,
  closeReasons,
  type ServerFrame,
  SUBPROTOCOL,
} from '@toolstream/proto-events';
import { retryDelay } from './backoff.ts';
import { ConnectionError, messageOf, ToolstreamError, tokenExpired } from './errors.ts';
import { readFrame } from './frames.ts';
import { reconnectAfter } from './reconnect.ts';
import { Timers } from './timers.ts';
import type { Timing } from './timing.ts';
import { expiryOf, type Tokens } from './tokens.ts';

/** The part of a WebSocket that is used. The handlers are written, never read. */
export interface SocketLike {
  onopen: unknown;
  onmessage: unknown;
  onclose: unknown;
  onerror: unknown;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}
export type SocketConstructor = new (url: string, protocols: string[]) => SocketLike;

/** idle → connecting → open → waiting → connecting …; `closed` is over: by close(), or because the service said so. */
export interface SocketState {
  readonly status: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
  /** Why it is not open: a stable word (`drain`, `token_expired`, `unreachable`, …). */
  readonly reason?: string;
  /** When the next attempt is due, in milliseconds since the epoch. */
  readonly retry_at?: number;
}

/** How a connection went that is over. */
export interface Loss {
  /** The service itself ended it, so that it was reached. */
  readonly byService: boolean;
  /** From the greeting to the end; `undefined` when there was no greeting. */
  readonly lastedMs: number | undefined;
}

export interface ConnectionOptions {
  readonly url: string;
  readonly tokens: Tokens;
  readonly WebSocket: SocketConstructor;
  readonly now: () => number;
  readonly random: () => number;
  readonly timing: Timing;
  /** Milliseconds that there must be between attempts, whatever else is known. */
  leastDelay(): number;
  /** The first frame of a new connection. */
  hello(token: string): ClientFrame;
  positions(): Record<string, string>;
  onState(state: SocketState): void;
  /** A socket is being opened; the greeting is due. */
  onDial(): void;
  onLost(loss: Loss): void;
  /** Greeted and open: what did not fit into the hello frame goes out now. */
  onOpen(): void;
  onFrame(frame: ServerFrame): void;
  /** Over for good: everything that waits for this connection fails with `error`. */
  onFatal(error: ToolstreamError): void;
}

/** After its goodbye the service closes; a connection that stays open all the same is left. */
const GOODBYE_TIMEOUT_MS = 5_000;
const HEARTBEAT_GRACE_MS = 5_000;
const REFRESH_BEFORE_MS = 60_000;

export class Connection {
  readonly #options: ConnectionOptions;
  readonly #timers = new Timers<'greeting' | 'retry' | 'goodbye' | 'heartbeat' | 'refresh' | 'steady' | 'alive'>();
  #state: SocketState = { status: 'idle' };
  #socket: SocketLike | undefined;
  /** Raised with every connection begun or given up: what an earlier one still does is ignored. */
  #generation = 0;
  #attempt = 0;
  #token = '';
  /** The service said that the token has expired. */
  #stale = false;
  #bye: { code: number; retry_ms?: number | undefined } | undefined;
  #refusal: { code: string; message: string } | undefined;
  #heardAt = 0;
  #greetedAt: number | undefined;
  /** A connection that has been silent for longer is no more. */
  #silenceMs = Number.POSITIVE_INFINITY;

  constructor(options: ConnectionOptions) {
    this.#options = options;
  }

  get state(): SocketState {
    return this.#state;
  }

  /** Something needs the connection. After a fatal end this is one new attempt. */
  want(): void {
    if (this.#state.status !== 'idle' && this.#state.status !== 'closed') return;
    this.#attempt = 0;
    this.#connect();
  }

  /** Nothing needs the connection any more. */
  rest(): void {
    if (this.#state.status === 'closed' || this.#state.status === 'idle') return;
    this.#leave(1000, 'idle');
    this.#become({ status: 'idle' });
  }

  /** No need to wait for the timer: the service is likely to be reached now. */
  hurry(): void {
    if (this.#state.status === 'waiting') this.#connect();
  }

  /** The machine may have slept, or the network changed: nothing is taken on trust. */
  check(): void {
    const { now, timing } = this.#options;
    this.hurry();
    if (this.#state.status !== 'open') return;
    const silent = now() - this.#heardAt;
    if (silent >= this.#silenceMs) {
      this.drop(4203);
    } else if (silent >= timing.recentMs && !this.#timers.isSet('alive')) {
      this.#timers.set('alive', timing.aliveMs, () => this.drop(4203));
      // Answered with another greeting, and after a long sleep a fresh token is due anyway.
      this.#refresh(() => this.#options.tokens.get());
    }
  }

  send(frame: ClientFrame): boolean {
    if (this.#state.status !== 'open') return false;
    this.#socket?.send(JSON.stringify(frame));
    return true;
  }

  /** Gives this connection up and makes another. */
  drop(code: CloseCode): void {
    if (this.#state.status !== 'open') return;
    this.#leave(code, closeReasons[code]);
    this.#lost(code);
  }

  close(): void {
    this.#leave(1000, 'closed');
    this.#become({ status: 'closed', reason: 'client_closed' });
  }

  #become(state: SocketState): void {
    this.#state = state;
    this.#options.onState(state);
  }

  #leave(code: number, reason: string): void {
    this.#generation += 1;
    this.#timers.clear();
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.onerror = () => {};
    socket.close(code, reason);
  }

  #connect(): void {
    this.#leave(1000, 'replaced');
    const generation = this.#generation;
    this.#greetedAt = undefined;
    this.#bye = undefined;
    this.#refusal = undefined;
    this.#become({ status: 'connecting' });
    const { tokens } = this.#options;
    const asked = this.#stale ? tokens.renew(this.#token) : tokens.get();
    asked.then(
      (token) => {
        if (generation !== this.#generation) return;
        this.#stale = false;
        this.#dial(token);
      },
      (error: unknown) => {
        if (generation !== this.#generation) return;
        const reason = error instanceof ToolstreamError ? error.code : 'token_unavailable';
        this.#withoutToken(reason, retryDelay(this.#attempt, this.#options.random()));
      },
    );
  }

  #dial(token: string): void {
    this.#token = token;
    let socket: SocketLike;
    try {
      socket = new this.#options.WebSocket(this.#options.url, [SUBPROTOCOL]);
    } catch (error) {
      this.#fatal(new ConnectionError('bad_url', `Cannot connect to ${this.#options.url}: ${messageOf(error)}`));
      return;
    }
    this.#socket = socket;
    this.#options.onDial();
    this.#timers.set('greeting', this.#options.timing.greetingMs, () => {
      this.#leave(1000, 'greeting_timeout');
      this.#lost(1006, 'greeting_timeout');
    });
    socket.onopen = () => socket.send(JSON.stringify(this.#options.hello(token)));
    socket.onmessage = (message: { data: unknown }) => this.#received(message.data);
    socket.onerror = () => {};
    socket.onclose = (close: { code?: number }) => this.#ended(this.#bye?.code ?? close.code ?? 1006);
  }

  #ended(code: number): void {
    this.#leave(1000, '');
    this.#lost(code);
  }

  #received(data: unknown): void {
    this.#heardAt = this.#options.now();
    this.#timers.stop('alive');
    const frame = readFrame(data);
    if (!frame) return;
    switch (frame.type) {
      case 'welcome':
        this.#welcomed(frame);
        return;
      case 'ping':
        this.send({ type: 'pong', positions: this.#options.positions() });
        return;
      case 'bye':
        this.#bye = frame;
        this.#timers.set('goodbye', GOODBYE_TIMEOUT_MS, () => this.#ended(frame.code));
        return;
      case 'error':
        if (this.#state.status === 'connecting') this.#refusal = frame;
        this.#options.onFrame(frame);
        return;
      default:
        this.#options.onFrame(frame);
    }
  }

  /** The greeting, and again whenever a refreshed token moves the expiry. */
  #welcomed(frame: Extract<ServerFrame, { type: 'welcome' }>): void {
    this.#expectHeartbeat(frame.heartbeat_ms);
    this.#planRefresh(expiryOf(this.#token) ?? Date.parse(frame.expires_at));
    if (this.#state.status !== 'connecting') return;
    this.#timers.stop('greeting');
    this.#greetedAt = this.#heardAt;
    this.#timers.set('steady', this.#options.timing.steadyMs, () => {
      this.#attempt = 0;
    });
    this.#become({ status: 'open' });
    this.#options.onOpen();
  }

  #expectHeartbeat(every: number): void {
    if (!(every > 0)) return;
    const grace = Math.min(every, HEARTBEAT_GRACE_MS);
    const allowed = 2 * every + grace;
    this.#silenceMs = every + grace;
    const check = () => {
      const silent = this.#options.now() - this.#heardAt;
      if (silent >= allowed) this.drop(4203);
      else this.#timers.set('heartbeat', allowed - silent, check);
    };
    this.#timers.set('heartbeat', allowed, check);
  }

  #planRefresh(expires: number): void {
    if (!this.#options.tokens.renewable || !Number.isFinite(expires)) return;
    const left = expires - this.#options.now();
    const before = Math.min(REFRESH_BEFORE_MS, left / 4);
    const { tokens } = this.#options;
    this.#timers.set('refresh', Math.max(1_000, left - before), () => this.#refresh(() => tokens.renew(this.#token)));
  }

  /** A refresh that fails is no loss: the connection lasts until the service ends it, and a token is asked for again then. */
  #refresh(fetch: () => Promise<string>): void {
    const generation = this.#generation;
    fetch().then(
      (token) => {
        if (generation !== this.#generation) return;
        this.#token = token;
        this.send({ type: 'refresh', token });
        this.#planRefresh(expiryOf(token) ?? Number.NaN);
      },
      () => {
        if (generation === this.#generation)
          this.#timers.set('refresh', retryDelay(5, this.#options.random()), () => this.#refresh(fetch));
      },
    );
  }

  #lost(code: number, reason = reasonOf(code)): void {
    const { random, now, onLost } = this.#options;
    const byService = (code >= 4000 && code < 5000) || this.#refusal !== undefined;
    onLost({ byService, lastedMs: this.#greetedAt === undefined ? undefined : now() - this.#greetedAt });
    if (code === 4200 || this.#refusal?.code === 'token_expired') {
      // An expired token is replaced before the next attempt, never tried again.
      this.#stale = true;
      this.#withoutToken('token_expired', this.#attempt === 0 ? 0 : retryDelay(this.#attempt, random()));
      return;
    }
    const after = reconnectAfter({ code, retry_ms: this.#bye?.retry_ms }, this.#attempt, random());
    if (after.retry) {
      this.#wait(after.delay_ms, reason);
    } else {
      const refusal = this.#refusal ?? { code: reason, message: `The service ended the connection: ${reason}.` };
      this.#fatal(new ConnectionError(refusal.code, refusal.message));
    }
  }

  #withoutToken(reason: string, delay: number): void {
    if (this.#options.tokens.renewable) this.#wait(delay, reason);
    else this.#fatal(tokenExpired());
  }

  #wait(due: number, reason: string): void {
    this.#attempt += 1;
    const delay = Math.max(due, this.#options.leastDelay());
    this.#become({ status: 'waiting', reason, retry_at: this.#options.now() + delay });
    this.#timers.set('retry', delay, () => this.#connect());
  }

  #fatal(error: ToolstreamError): void {
    this.#leave(1000, '');
    this.#become({ status: 'closed', reason: error.code });
    this.#options.onFatal(error);
  }
}

function reasonOf(code: number): string {
  if (code === 1006) return 'unreachable';
  return (closeReasons as Readonly<Record<number, string>>)[code] ?? `closed_${code}`;
}
