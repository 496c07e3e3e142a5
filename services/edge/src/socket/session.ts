import {
  type ClientFrame,
  type CloseCode,
  closeCodes,
  type RunCommandRequest,
  type ServerFrame,
  type Subscription as SubscriptionWish,
} from '@toolstream/proto-events';
import { asError, ensureTraceparent, type Logger } from '@toolstream/service-kit';
import { ulid } from 'ulid';
import type { WebSocket } from 'ws';
import type { Orchestrator } from '../adapters/orchestrator.ts';
import type { RunReader } from '../adapters/run-reader.ts';
import type { Tickets } from '../adapters/tickets.ts';
import { hasScope, mayUseApp, type Principal, requireApp, requireScope } from '../auth/principal.ts';
import type { TokenVerifier } from '../auth/tokens.ts';
import type { EdgeConfig } from '../config.ts';
import type { Feeds, Lease } from '../feeds/feeds.ts';
import type { Flusher } from '../feeds/flusher.ts';
import { Frame } from '../feeds/frame.ts';
import type { EdgeLog } from '../feeds/log.ts';
import { Subscription } from '../feeds/subscription.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { asRefusal, Refusal } from '../problems.ts';
import { frameCommandId } from '../requests/idempotency.ts';
import { type ReadFrame, readClientFrame } from './client-frames.ts';
import type { Client, Clients } from './clients.ts';
import { ClientQueue } from './queue.ts';
import { RateLimit } from './rate.ts';
import { wireOf } from './wire.ts';

export interface SessionParts {
  readonly config: EdgeConfig;
  readonly log: EdgeLog;
  readonly logger: Logger;
  readonly feeds: Feeds;
  readonly reader: RunReader;
  readonly orchestrator: Orchestrator;
  readonly tokens: TokenVerifier;
  readonly tickets: Tickets;
  readonly flusher: Flusher;
  readonly clients: Clients;
  readonly metrics: EdgeMetrics;
}

/** A place among a connection's subscriptions, taken before anything is read and given back when it ends. */
interface Held {
  readonly app: string | undefined;
  readonly names: { run: string } | { app: string };
  lease: Lease | undefined;
  subscription: Subscription | undefined;
  /** The run's app, once known: what a refreshed token is checked against. */
  appOf: string | undefined;
  over: boolean;
}

/** Frames that arrive while the hello is checked wait; more of them than this is no client of ours. */
const WAITING_FRAMES = 256;
const COMMANDS_IN_FLIGHT = 64;
/** Two heartbeats unanswered, and some time for the answer to travel. */
const SILENCE_FACTOR = 2.5;

/**
 * One WebSocket: greeting, subscriptions, commands, heartbeat, expiry, goodbye.
 *
 *   waiting (for hello) ─→ greeting (the token is checked) ─→ open ─→ closed
 */
export class Session implements Client {
  readonly kind = 'socket';
  readonly #parts: SessionParts;
  readonly #ws: WebSocket;
  readonly #queue: ClientQueue;
  readonly #id = ulid();
  readonly #held = new Map<string, Held>();
  readonly #rate: RateLimit;
  readonly #openedAt = Date.now();
  #state: 'waiting' | 'greeting' | 'open' | 'closed' = 'waiting';
  #ticket: Promise<Principal | Refusal> | undefined;
  #principal: Principal | undefined;
  #waiting: ClientFrame[] = [];
  #commands = 0;
  readonly #commanding = new Map<string, Promise<void>>();
  #heardAt = Date.now();
  #pingDue: number;

  constructor(ws: WebSocket, ticket: string | undefined, parts: SessionParts) {
    this.#ws = ws;
    this.#parts = parts;
    const { config, flusher, clients, tickets } = parts;
    this.#rate = new RateLimit(config.TOOLSTREAM_FRAMES_PER_SECOND, performance.now());
    this.#pingDue = this.#openedAt + config.TOOLSTREAM_HEARTBEAT_MS;
    this.#queue = new ClientQueue(wireOf(ws), {
      flusher,
      form: 'ws',
      limitBytes: config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
      slowMs: config.TOOLSTREAM_SLOW_CLIENT_MS,
      onDrained: () => {
        for (const held of this.#held.values()) held.subscription?.drained();
      },
      onSlow: () => this.#bye(4102),
    });
    if (ticket !== undefined) this.#ticket = tickets.redeem(ticket).catch(asRefusal);
    ws.on('message', (data, isBinary) => this.#received(data as Buffer, isBinary));
    ws.on('pong', () => {
      this.#heardAt = Date.now();
    });
    ws.on('close', () => this.#gone());
    clients.add(this);
  }

  get subscriptions(): number {
    return this.#held.size;
  }

  get waitingBytes(): number {
    return this.#queue.waiting;
  }

  tick(now: number, ping: Frame): void {
    const { config } = this.#parts;
    if (this.#state === 'closed') return;
    const expires = this.#principal?.exp;
    if (this.#state === 'waiting' && now - this.#openedAt >= config.TOOLSTREAM_HELLO_TIMEOUT_MS) {
      this.#bye(4008);
    } else if (expires !== undefined && now >= expires * 1000 + config.TOOLSTREAM_TOKEN_GRACE_MS) {
      this.#bye(4200);
    } else if (now - this.#heardAt >= config.TOOLSTREAM_HEARTBEAT_MS * SILENCE_FACTOR) {
      this.#bye(4203);
      this.terminate();
    } else if (this.#state === 'open' && now >= this.#pingDue) {
      this.#ping(now, ping);
    }
  }

  #ping(now: number, ping: Frame): void {
    const { config } = this.#parts;
    this.#pingDue = now + config.TOOLSTREAM_HEARTBEAT_MS;
    this.#ws.ping();
    // A client that does not read its events does not read this either.
    if (!this.#queue.congested) this.#queue.write(ping);
  }

  drain(retryMs: number): void {
    this.#bye(4201, retryMs);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  #received(data: Buffer, isBinary: boolean): void {
    this.#heardAt = Date.now();
    if (this.#state === 'closed') return;
    const limit = this.#rate.take(performance.now());
    if (limit === 'hopeless') {
      this.#bye(4100);
      return;
    }
    const read: ReadFrame = isBinary
      ? { ok: false, code: 'bad_frame', message: 'Frames are text.' }
      : readClientFrame(data.toString());
    if (this.#state === 'waiting') this.#first(read);
    else if (!read.ok) this.#error(new Refusal(read.code, read.message), read.id === undefined ? {} : { id: read.id });
    else if (limit === 'limited') this.#error(new Refusal('rate_limited'), labels(read.frame));
    else if (this.#state === 'open') this.#handle(read.frame);
    else if (this.#waiting.length < WAITING_FRAMES) this.#waiting.push(read.frame);
    else this.#bye(4100);
  }

  /** Anything but a hello ends the connection: there is nobody yet whom it could be allowed to. */
  #first(read: ReadFrame): void {
    if (read.ok && read.frame.type === 'hello') {
      this.#state = 'greeting';
      void this.#greet(read.frame);
      return;
    }
    const broken = !read.ok && read.type === 'hello';
    this.#error(broken ? new Refusal(read.code, read.message) : new Refusal('hello_expected'));
    this.#bye(4000);
  }

  async #greet(hello: Extract<ClientFrame, { type: 'hello' }>): Promise<void> {
    const principal = await this.#identify(hello.token).catch(asRefusal);
    if (this.#closed) return;
    if (principal instanceof Refusal) {
      this.#error(principal);
      this.#bye(principal.code === 'token_expired' ? 4200 : principal.code === 'unauthenticated' ? 4001 : 4103);
      return;
    }
    if (!hasScope(principal, 'runs:read') && !hasScope(principal, 'runs:control')) {
      this.#error(new Refusal('forbidden', 'A connection needs the scope runs:read or runs:control.'));
      return this.#bye(4003);
    }
    this.#principal = principal;
    this.#state = 'open';
    this.#welcome(principal);
    for (const wish of hello.subscribe ?? []) void this.#subscribe(wish);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const frame of waiting) this.#handle(frame);
  }

  async #identify(token: string | undefined): Promise<Principal> {
    if (token !== undefined || !this.#ticket) return this.#parts.tokens.verify(token);
    const redeemed = await this.#ticket;
    if (redeemed instanceof Refusal) throw redeemed;
    return redeemed;
  }

  #welcome({ exp }: Principal): void {
    const { config, log } = this.#parts;
    this.#send({
      type: 'welcome',
      session: this.#id,
      heartbeat_ms: config.TOOLSTREAM_HEARTBEAT_MS,
      expires_at: new Date(exp * 1000).toISOString(),
      epoch: Array.from({ length: log.partitions }, (_, partition) => log.epoch(partition)).join(','),
    });
  }

  #handle(frame: ClientFrame): void {
    if (this.#closed) return;
    switch (frame.type) {
      case 'hello':
        this.#error(new Refusal('hello_repeated'));
        return;
      case 'subscribe':
        void this.#subscribe(frame);
        return;
      case 'unsubscribe':
        if (frame.run !== undefined) this.#release(`run/${frame.run}`);
        if (frame.app !== undefined) this.#release(`app/${frame.app}`);
        return;
      case 'command':
        void this.#command(frame);
        return;
      case 'refresh':
        void this.#refresh(frame.token);
        return;
      case 'pong':
        return;
    }
  }

  /** A repeated subscription replaces the one before: how a client that found a gap asks again. */
  async #subscribe(wish: SubscriptionWish): Promise<void> {
    const key = 'run' in wish ? `run/${wish.run}` : `app/${wish.app}`;
    const names = 'run' in wish ? { run: wish.run } : { app: wish.app };
    this.#release(key);
    if (this.#held.size >= this.#parts.config.TOOLSTREAM_MAX_SUBSCRIPTIONS) {
      return this.#error(new Refusal('too_many_subscriptions'), names);
    }
    const held: Held = {
      app: 'app' in wish ? wish.app : undefined,
      names,
      lease: undefined,
      subscription: undefined,
      appOf: undefined,
      over: false,
    };
    this.#held.set(key, held);
    try {
      const lease = await this.#lease(wish, held);
      held.lease = lease;
      if (held.over) return lease.release();
      held.subscription = new Subscription({
        feed: lease.feed,
        log: this.#parts.log,
        outlet: this.#queue,
        catchUpBytes: this.#parts.config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
        onOver: () => this.#drop(key, held),
        onSnapshot: (reason) => this.#parts.metrics.snapshot(reason),
        onFault: (error) => this.#parts.logger.error({ error: asError(error), ...names }, 'a subscription failed'),
      });
      await held.subscription.start(wish.cursor);
    } catch (error) {
      const refusal = this.#refusalOf(error, names);
      if (!held.over) this.#error(refusal, names);
      this.#drop(key, held);
    }
  }

  async #lease(wish: SubscriptionWish, held: Held): Promise<Lease> {
    const principal = this.#principal!;
    requireScope(principal, 'runs:read');
    if ('app' in wish) {
      requireApp(principal, wish.app);
      held.appOf = wish.app;
      return this.#parts.feeds.app(principal.tenant, wish.app);
    }
    const address = await this.#parts.reader.locate(principal.tenant, wish.run);
    if (!address) throw new Refusal('not_found', 'There is no such run.');
    requireApp(this.#principal!, address.app);
    held.appOf = address.app;
    const lease = await this.#parts.feeds.run(address);
    if (!lease) throw new Refusal('not_found', 'There is no such run.');
    return lease;
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held) this.#drop(key, held);
  }

  #drop(key: string, held: Held): void {
    held.over = true;
    held.subscription?.close();
    held.lease?.release();
    if (this.#held.get(key) === held) this.#held.delete(key);
  }

  /** Commands on one run are carried out in the order in which they came; runs do not wait for each other. */
  async #command(frame: Extract<ClientFrame, { type: 'command' }>): Promise<void> {
    const { id, run } = frame;
    if (this.#commands >= COMMANDS_IN_FLIGHT) return this.#error(new Refusal('busy'), { id, run });
    this.#commands++;
    const before = this.#commanding.get(run);
    const done = (before ?? Promise.resolve()).then(() => this.#carryOut(frame));
    this.#commanding.set(run, done);
    await done;
    this.#commands--;
    if (this.#commanding.get(run) === done) this.#commanding.delete(run);
  }

  async #carryOut(frame: Extract<ClientFrame, { type: 'command' }>): Promise<void> {
    const { id, run } = frame;
    if (this.#closed) return;
    try {
      const principal = this.#principal!;
      requireScope(principal, 'runs:control');
      const request = commandRequest(frame, principal, this.#id);
      const address = await this.#parts.reader.locate(principal.tenant, run);
      if (!address) throw new Refusal('not_found', 'There is no such run.');
      requireApp(principal, address.app);
      const cursor = await this.#parts.orchestrator.command(request);
      this.#parts.metrics.command('acked');
      this.#send({ type: 'ack', id, cursor });
    } catch (error) {
      this.#parts.metrics.command('refused');
      this.#error(this.#refusalOf(error, { run }), { id, run });
    }
  }

  /** A new token for the same caller. What it no longer allows ends; the rest goes on without a break. */
  async #refresh(token: string): Promise<void> {
    const principal = await this.#parts.tokens.verify(token).catch(asRefusal);
    if (this.#closed) return;
    if (principal instanceof Refusal) return this.#error(principal);
    if (principal.tenant !== this.#principal!.tenant || principal.sub !== this.#principal!.sub) {
      return this.#error(new Refusal('forbidden', 'The token belongs to another caller: open a new connection.'));
    }
    this.#principal = principal;
    this.#welcome(principal);
    for (const [key, held] of [...this.#held]) {
      const allowed = held.appOf === undefined || mayUseApp(principal, held.appOf);
      if (allowed && hasScope(principal, 'runs:read')) continue;
      this.#error(new Refusal('forbidden', 'The new token does not allow this subscription.'), held.names);
      this.#drop(key, held);
    }
  }

  #refusalOf(error: unknown, context: object): Refusal {
    const refusal = asRefusal(error);
    if (refusal.code === 'internal') this.#parts.logger.error({ error: asError(error), ...context }, 'a frame failed');
    return refusal;
  }

  #send(frame: ServerFrame): void {
    this.#queue.write(Frame.of(frame));
  }

  #error(refusal: Refusal, about: { id?: string; run?: string; app?: string } = {}): void {
    if (!this.#closed) this.#send({ type: 'error', code: refusal.code, message: refusal.message, ...about });
  }

  #bye(code: CloseCode, retryMs?: number): void {
    if (this.#closed) return;
    const { reason, reconnect } = closeCodes[code];
    const retry = retryMs ?? (reconnect === 'later' ? 5_000 : undefined);
    this.#send({ type: 'bye', code, reason, ...(retry === undefined ? {} : { retry_ms: retry }) });
    this.#parts.metrics.closed(code);
    this.#queue.flush();
    this.#end();
    this.#ws.close(code, reason);
  }

  #gone(): void {
    this.#end();
    this.#parts.clients.remove(this);
  }

  #end(): void {
    this.#state = 'closed';
    this.#waiting = [];
    this.#queue.close();
    for (const [key, held] of [...this.#held]) this.#drop(key, held);
  }

  /** A method of its own: the compiler cannot know that the state changes while something is awaited. */
  get #closed(): boolean {
    return this.#state === 'closed';
  }
}

function commandRequest(
  frame: Extract<ClientFrame, { type: 'command' }>,
  principal: Principal,
  session: string,
): RunCommandRequest {
  const { command, args = {} } = frame;
  const { index, reason } = args;
  const { sub, tenant } = principal;
  const base = {
    tenant,
    actor: sub,
    traceparent: ensureTraceparent(),
    run: frame.run,
    command_id: frameCommandId(command, index, { sub, session }, frame.id),
    ...(reason === undefined ? {} : { reason }),
  };
  if (command === 'pause' || command === 'resume' || command === 'cancel') return { name: command, ...base };
  if (index === undefined || index > 255) throw new Refusal('bad_frame', `${command} needs args.index, 0 to 255.`);
  if (command !== 'approve_tool') return { name: command, ...base, index };
  return { name: command, ...base, index, ...(args.arguments === undefined ? {} : { arguments: args.arguments }) };
}

function labels(frame: ClientFrame): { id?: string; run?: string; app?: string } {
  return {
    ...('id' in frame ? { id: frame.id } : {}),
    ...('run' in frame && frame.run !== undefined ? { run: frame.run } : {}),
    ...('app' in frame && frame.app !== undefined ? { app: frame.app } : {}),
  };
}
