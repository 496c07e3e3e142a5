import type { RunCommandName, RunState } from '@toolstream/proto-events';
import { type Api, createApi } from './api.ts';
import type { CommandArguments, CommandOptions } from './commands.ts';
import type { SocketConstructor } from './connection.ts';
import { Emitter } from './emitter.ts';
import type { FallbackPart } from './fallback-loader.ts';
import type { AppState } from './fold.ts';
import { type FetchLike, Http } from './http.ts';
import { Session, type WatchOptions } from './session.ts';
import type { ConnectionState } from './switchboard.ts';
import { TIMING, type Timing } from './timing.ts';
import { createTokens, type TokenOption } from './tokens.ts';
import { TRANSPORTS, type TransportName } from './transport.ts';
import type { AppWatch, MessageWatch, RunWatch } from './watch.ts';

export interface ClientOptions {
  /** Where the edge is: `http://localhost:4400`. On a page it may be relative. */
  readonly url: string;
  /** A function is asked whenever a fresh token is needed; a string is good until it expires. */
  readonly token: TokenOption;
  /** What may carry events. The order of preference is fixed: `websocket`, `sse`, `polling`; all are the default. */
  readonly transports?: readonly TransportName[];
  /** Default: the global ones. */
  readonly WebSocket?: SocketConstructor;
  readonly fetch?: FetchLike;
  /**
   * How to get what is needed where WebSockets do not get through. Default: `import('@toolstream/client/fallback')`, once that is
   * so. A page that is one file gives what it has imported already.
   */
  readonly fallback?: () => Promise<FallbackPart>;
}

export interface Client extends Api {
  /** Follows a run. One connection is shared by everything watched. */
  watch(run: string, options?: WatchOptions<RunState>): RunWatch;
  /** Follows every run of an app. */
  watchApp(app: string, options?: WatchOptions<AppState>): AppWatch;
  /** Follows the newest run of a message, also from before it has one. */
  watchMessage(message_id: string | number): MessageWatch;
  /** A command over the connection: sent again with the same id after a reconnect, done once. */
  command(
    run: string,
    command: RunCommandName,
    args?: CommandArguments,
    options?: CommandOptions,
  ): Promise<{ cursor: string }>;
  readonly connection: ConnectionState;
  onConnection(listener: (state: ConnectionState) => void): () => void;
  /** Ends watches, commands and requests, and leaves no timer behind. */
  close(): void;
}

export const createClient = (options: ClientOptions): Client => clientWith(options, TIMING);

/** {@link createClient} with other times, for tests. */
export function clientWith(options: ClientOptions, timing: Timing): Client {
  const base = baseOf(options.url);
  const tokens = createTokens(options.token, Date.now);
  const emitter = new Emitter<{ connection: ConnectionState }>();
  const http = new Http({
    baseUrl: base,
    tokens,
    fetch: options.fetch ?? ((url, init) => globalThis.fetch(url, init)),
    random: Math.random,
  });
  const api = createApi(http);
  const session = new Session(
    {
      url: base,
      http,
      tokens,
      timing,
      transports: options.transports ?? TRANSPORTS,
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      loadFallback: options.fallback ?? (() => import('./fallback.ts')),
      post: ({ run, command, args, id }) => api.control(run, command, args as CommandArguments, { idempotencyKey: id }),
      now: Date.now,
      random: Math.random,
    },
    (state) => emitter.emit('connection', state),
  );

  return {
    ...api,
    watch: (run, from = {}) => session.watchRun(run, from),
    watchApp: (app, from = {}) => session.watchApp(app, from),
    watchMessage: (message) => session.watchMessage(String(message)),
    command: (run, command, args = {}, more = {}) => session.command(run, command, args, more),
    get connection() {
      return session.connection;
    },
    onConnection: (listener) => emitter.on('connection', listener),
    close() {
      http.close();
      session.close();
      emitter.clear();
    },
  };
}

/** The address without a trailing slash, whichever of its schemes it was given with. */
function baseOf(url: string): string {
  const page = (globalThis as { location?: { href: string } }).location?.href;
  const { protocol, host, pathname } = new URL(url.replace(/^ws/, 'http'), page);
  if (protocol !== 'http:' && protocol !== 'https:') throw new TypeError(`no http address: ${url}`);
  return `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
}
