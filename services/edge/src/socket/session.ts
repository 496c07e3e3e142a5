import { type ClientFrame, type CloseCode, closeCodes, type ServerFrame } from '@toolstream/proto-events';
import { newUlid } from '@toolstream/service-kit';
import type { RawData, WebSocket } from 'ws';
import type { Tickets } from '../adapters/tickets.ts';
import { isExpired, type Principal } from '../auth/principal.ts';
import { Frame } from '../feeds/frame.ts';
import { Refusal } from '../problems.ts';
import { Acks } from './acks.ts';
import type { Place } from './admission.ts';
import { aboutOf, type ReadFrame, readClientFrame } from './client-frames.ts';
import type { Client, Clients } from './clients.ts';
import { Commands, type CommandsParts } from './commands.ts';
import { type CredentialsParts, closeCodeOf, identify, renew } from './credentials.ts';
import { Heartbeat } from './heartbeat.ts';
import { type About, type Peer, refusalFor } from './peer.ts';
import { ClientQueue, type QueueOwner, type QueueParts } from './queue.ts';
import { RateLimit } from './rate.ts';
import { Subscriptions, type SubscriptionsParts } from './subscriptions.ts';
import { wireOf } from './wire.ts';

export interface SessionParts extends SubscriptionsParts, CommandsParts, CredentialsParts, Pick<QueueParts, 'flusher'> {
  readonly tickets: Tickets;
  readonly clients: Clients;
}

export interface SessionOptions {
  readonly ticket: string | undefined;
  readonly place: Place;
}

/** Frames that arrive while the hello is checked wait; more of them than this is no client of ours. */
const WAITING_FRAMES = 256;

/**
 * One WebSocket's life: greeting, expiry, goodbye; and what its client sends, handed to whom it is for.
 *
 *   waiting (for hello) ─→ greeting (the token is checked) ─→ open ─→ closed
 */
export class Session implements Client, Peer, QueueOwner {
  readonly kind = 'socket';
  readonly session = newUlid();
  readonly outlet: ClientQueue;
  readonly #parts: SessionParts;
  readonly #ws: WebSocket;
  readonly #place: Place;
  readonly #subscriptions: Subscriptions;
  /** Most connections only watch. */
  #commands: Commands | undefined;
  readonly #heartbeat: Heartbeat;
  readonly #rate: RateLimit;
  readonly #openedAt = Date.now();
  #state: 'waiting' | 'greeting' | 'open' | 'closed' = 'waiting';
  #ticket: Promise<Principal | Refusal> | undefined;
  #principal: Principal | undefined;
  /** Until the token is checked. */
  #waiting: ClientFrame[] | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(ws: WebSocket, { ticket, place }: SessionOptions, parts: SessionParts) {
    this.#ws = ws;
    this.#parts = parts;
    this.#place = place;
    const { config, clients, tickets } = parts;
    this.#rate = new RateLimit(config.TOOLSTREAM_FRAMES_PER_SECOND, performance.now());
    this.#subscriptions = new Subscriptions(this, parts);
    this.outlet = new ClientQueue(wireOf(ws), 'ws', parts, this);
    const acks = new Acks(this.#subscriptions);
    this.#heartbeat = new Heartbeat(ws, this.outlet, acks, config.TOOLSTREAM_HEARTBEAT_MS);
    if (ticket !== undefined) this.#ticket = tickets.redeem(ticket).catch((error) => this.#refusalFor(error));
    sessions.set(ws, this);
    ws.on('message', onMessage).on('pong', onPong).on('close', onClose);
    clients.add(this);
  }

  get principal(): Principal {
    return this.#principal!;
  }

  get subscriptions(): number {
    return this.#subscriptions.size;
  }

  get waitingBytes(): number {
    return this.outlet.waiting;
  }

  /** A getter: the compiler cannot know that the state changes while something is awaited. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  tick(now: number, ping: Frame): void {
    const { config } = this.#parts;
    if (this.closed) return;
    const expires = this.#principal?.exp;
    if (this.#state === 'waiting' && now - this.#openedAt >= config.TOOLSTREAM_HELLO_TIMEOUT_MS) {
      this.#bye(4008);
    } else if (expires !== undefined && now >= expires * 1000 + config.TOOLSTREAM_TOKEN_GRACE_MS) {
      this.#bye(4200);
    } else {
      const failing = this.#heartbeat.judge(now);
      if (failing === 'silent') {
        this.#bye(4203);
        this.terminate();
      } else if (failing === 'slow') this.onSlow();
      else if (this.#state === 'open') this.#heartbeat.beat(now, ping);
    }
  }

  onDrained(waited: boolean): void {
    this.#subscriptions.drained(waited);
  }

  /** The close frame may wait behind what the client does not read: after a moment the connection is cut. */
  onSlow(): void {
    if (this.closed) return;
    this.#parts.metrics.slow('close');
    this.#bye(4102);
  }

  get caller(): Principal | undefined {
    return this.#principal;
  }

  revoke(): void {
    this.error(new Refusal('token_revoked'));
    this.#bye(4004);
  }

  drain(retryMs: number): void {
    this.#bye(4201, retryMs);
  }

  terminate(): void {
    this.#ws.terminate();
  }

  send(frame: ServerFrame): void {
    this.outlet.write(Frame.of(frame));
  }

  error(refusal: Refusal, about: About = {}): void {
    if (!this.closed) this.send({ type: 'error', code: refusal.code, message: refusal.message, ...about });
  }

  heard(): void {
    this.#heartbeat.heard();
  }

  received(data: Buffer, isBinary: boolean): void {
    this.heard();
    if (this.closed) return;
    const limit = this.#rate.take(performance.now());
    if (limit === 'hopeless') {
      this.#bye(4100);
      return;
    }
    const read: ReadFrame = isBinary
      ? { ok: false, code: 'bad_frame', message: 'Frames are text.' }
      : readClientFrame(data.toString());
    if (this.#state === 'waiting') this.#first(read);
    else if (!read.ok) this.error(new Refusal(read.code, read.message), read.id === undefined ? {} : { id: read.id });
    else if (limit === 'limited') this.error(new Refusal('rate_limited'), aboutOf(read.frame));
    else if (this.#state === 'open') this.#handle(read.frame);
    else this.#wait(read.frame);
  }

  #wait(frame: ClientFrame): void {
    this.#waiting ??= [];
    if (this.#waiting.length < WAITING_FRAMES) this.#waiting.push(frame);
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
    this.error(broken ? new Refusal(read.code, read.message) : new Refusal('hello_expected'));
    this.#bye(4000);
  }

  async #greet(hello: Extract<ClientFrame, { type: 'hello' }>): Promise<void> {
    let principal: Principal;
    try {
      principal = await identify(hello.token, this.#ticket, this.#parts);
      if (this.closed) return;
      this.#place.claim(principal);
    } catch (error) {
      const refusal = this.#refusalFor(error);
      this.error(refusal);
      return this.#bye(closeCodeOf(refusal));
    }
    this.#principal = principal;
    this.#state = 'open';
    this.#welcome(principal);
    for (const wish of hello.subscribe ?? []) void this.#subscriptions.subscribe(wish);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const frame of waiting) this.#handle(frame);
  }

  #welcome({ exp }: Principal): void {
    const { config, log } = this.#parts;
    this.send({
      type: 'welcome',
      session: this.session,
      heartbeat_ms: config.TOOLSTREAM_HEARTBEAT_MS,
      expires_at: new Date(exp * 1000).toISOString(),
      epoch: Array.from({ length: log.partitions }, (_, partition) => log.epoch(partition)).join(','),
    });
  }

  #handle(frame: ClientFrame): void {
    if (this.closed) return;
    if ((frame.type === 'subscribe' || frame.type === 'command') && isExpired(this.principal, Date.now())) {
      this.#late(frame);
      return;
    }
    switch (frame.type) {
      case 'hello':
        this.error(new Refusal('hello_repeated'));
        return;
      case 'subscribe':
        void this.#subscriptions.subscribe(frame);
        return;
      case 'unsubscribe':
        this.#subscriptions.release(frame);
        return;
      case 'command':
        this.#commands ??= new Commands(this, this.#parts);
        void this.#commands.carryOut(frame);
        return;
      case 'refresh':
        this.#refreshInTurn(frame.token);
        return;
      case 'pong':
        this.#heartbeat.answered(frame.positions);
        return;
    }
  }

  /** After its token's end a connection keeps for a while what it has; more it gets by a new token only. */
  #late(frame: ClientFrame): void {
    if (this.#refreshing !== undefined) {
      void this.#refreshing.then(() => this.#handle(frame));
      return;
    }
    this.error(new Refusal('token_expired'));
    this.#bye(4200);
  }

  #refreshInTurn(token: string): void {
    const before = this.#refreshing ?? Promise.resolve();
    const done = before
      .then(() => this.#refresh(token))
      .then(() => {
        if (this.#refreshing === done) this.#refreshing = undefined;
      });
    this.#refreshing = done;
  }

  async #refresh(token: string): Promise<void> {
    const principal = await renew(token, this.principal, this.#parts).catch((error) => this.#refusalFor(error));
    if (this.closed) return;
    if (principal instanceof Refusal) return this.error(principal);
    this.#principal = principal;
    this.#welcome(principal);
    this.#subscriptions.recheck(principal);
  }

  #refusalFor(error: unknown): Refusal {
    return refusalFor(error, this.#parts.logger, { session: this.session });
  }

  #bye(code: CloseCode, retryMs?: number): void {
    if (this.closed) return;
    const { reason, reconnect } = closeCodes[code];
    const retry = retryMs ?? (reconnect === 'later' ? 5_000 : undefined);
    this.send({ type: 'bye', code, reason, ...(retry === undefined ? {} : { retry_ms: retry }) });
    this.#parts.metrics.closed(code);
    this.#place.refused(reason);
    this.outlet.flush();
    this.#end();
    this.#ws.close(code, reason);
  }

  gone(): void {
    this.#end();
    this.#place.release();
    this.#parts.clients.remove(this);
  }

  #end(): void {
    this.#state = 'closed';
    this.#waiting = undefined;
    this.outlet.close();
    this.#subscriptions.close();
  }
}

/** The same functions for all connections: three for each would be a tenth of what one holds. */
const sessions = new WeakMap<WebSocket, Session>();

function onMessage(this: WebSocket, data: RawData, isBinary: boolean): void {
  sessions.get(this)?.received(data as Buffer, isBinary);
}
function onPong(this: WebSocket): void {
  sessions.get(this)?.heard();
}
function onClose(this: WebSocket): void {
  sessions.get(this)?.gone();
}
