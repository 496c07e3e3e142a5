import type { RunCommandName, RunState } from '@toolstream/proto-events';
import type { Api } from './api.ts';
import type { CommandArguments, CommandOptions } from './commands.ts';
import type { SocketConstructor } from './connection.ts';
import type { ConnectionState } from './connection-state.ts';
import { Emitter } from './emitter.ts';
import { clientClosed } from './errors.ts';
import type { Fallback, FallbackOptions } from './fallback.ts';
import type { AppState } from './fold.ts';
import type { FetchLike } from './http.ts';
import type { CommandFrame } from './http-commands.ts';
import { uniqueId } from './ids.ts';
import { Part } from './part.ts';
import { Reach } from './reach.ts';
import type { ClientTiming } from './request-timing.ts';
import type { Requests, RequestsOptions } from './requests.ts';
import { routes } from './routes.ts';
import { Session, type WatchOptions } from './session.ts';
import type { FallbackUse } from './switchboard.ts';
import { TIMING } from './timing.ts';
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

/** How the parts that are loaded when they are needed are got. */
export interface Parts {
  requests(): Promise<{ createRequests(options: RequestsOptions): Requests }>;
  fallback(): Promise<{ Fallback: new (options: FallbackOptions) => Fallback }>;
}

const PARTS: Parts = {
  requests: () => import('./requests.ts'),
  fallback: () => import('./fallback.ts'),
};

/** {@link createClient} with other times and other ways to its parts, for tests. */
export function clientWith(options: ClientOptions, timing: ClientTiming, parts: Parts = PARTS): Client {
  const url = baseOf(options.url);
  const tokens = createTokens(options.token, Date.now);
  const emitter = new Emitter<{ connection: ConnectionState }>();
  const fetch: FetchLike = options.fetch ?? ((to, init) => globalThis.fetch(to, init));
  const requests = new Part(async () =>
    (await parts.requests()).createRequests({ baseUrl: url, tokens, fetch, random: Math.random, uniqueId }),
  );
  const fallback = new Part(async () => {
    const [{ http, api }, { Fallback }] = await Promise.all([requests.get(), parts.fallback()]);
    const post = ({ run, command, args, id }: CommandFrame) =>
      api.control(run, command, args as CommandArguments, { idempotencyKey: id });
    return (use: FallbackUse) => new Fallback({ ...use, http, post });
  });
  let closed = false;
  const api = async (): Promise<Api> => {
    const loaded = closed ? undefined : await requests.get();
    if (closed || !loaded) throw clientClosed();
    return loaded.api;
  };
  const session = new Session(
    {
      url,
      tokens,
      timing,
      transports: options.transports ?? TRANSPORTS,
      WebSocket: options.WebSocket ?? globalThis.WebSocket,
      reach: new Reach(url, fetch, timing.reachMs),
      fallback,
      now: Date.now,
      random: Math.random,
    },
    (state) => emitter.emit('connection', state),
  );

  return {
    ...routes(api),
    watch: (run, from = {}) => session.watchRun(run, from),
    watchApp: (app, from = {}) => session.watchApp(app, from),
    watchMessage: (message) => session.watchMessage(String(message)),
    command: (run, command, args = {}, more = {}) => session.command(run, command, args, more),
    get connection() {
      return session.connection;
    },
    onConnection: (listener) => emitter.on('connection', listener),
    close() {
      closed = true;
      requests.loaded?.http.close();
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
