import {
  type ClientFrame,
  type CloseCode,
  closeCodes,
  type ErrorCode,
  type ServerFrame,
} from '@toolstream/proto-events';
import { ulid } from 'ulid';
import type { RawData, WebSocket } from 'ws';
import type { Revocations } from '../adapters/revocations.ts';
import type { Tickets } from '../adapters/tickets.ts';
import { hasScope, isExpired, type Principal } from '../auth/principal.ts';
import type { TokenVerifier } from '../auth/tokens.ts';
import type { Flusher } from '../feeds/flusher.ts';
import { Frame } from '../feeds/frame.ts';
import { asRefusal, Refusal } from '../problems.ts';
import { Acks } from './acks.ts';
import type { Place } from './admission.ts';
import { type ReadFrame, readClientFrame } from './client-frames.ts';
import type { Client, Clients } from './clients.ts';
import { Commands, type CommandsParts } from './commands.ts';
import type { About, Peer } from './peer.ts';
import { ClientQueue, type QueueOwner, type QueueSettings } from './queue.ts';
import { RateLimit } from './rate.ts';
import { Subscriptions, type SubscriptionsParts } from './subscriptions.ts';
import { wireOf } from './wire.ts';

export interface SessionParts extends SubscriptionsParts, CommandsParts {
  readonly tokens: TokenVerifier;
  readonly tickets: Tickets;
  readonly revocations: Pick<Revocations, 'covers'>;
  readonly flusher: Flusher;
  readonly clients: Clients;
}

export interface SessionOptions {
  readonly ticket: string | undefined;
  readonly place: Place;
}

/** Frames that arrive while the hello is checked wait; more of them than this is no client of ours. */
const WAITING_FRAMES = 256;
/** Two heartbeats unanswered, and some time for the answer to travel. */
const SILENCE_FACTOR = 2.5;

/**
 * One WebSocket's life: greeting, heartbeat, expiry, goodbye.
 *
 *   waiting (for hello) ─→ greeting (the token is checked) ─→ open ─→ closed
 */
export class Session implements Client, Peer, QueueOwner {
  readonly kind = 'socket';
  readonly session = ulid();
  readonly outlet: ClientQueue;
  readonly #parts: SessionParts;
  readonly #ws: WebSocket;
  readonly #place: Place;
  readonly #subscriptions: Subscriptions;
  /** Most connections only watch. */
  #commands: Commands | undefined;
  readonly #acks: Acks;
  readonly #rate: RateLimit;
  readonly #openedAt = Date.now();
  #state: 'waiting' | 'greeting' | 'open' | 'closed' = 'waiting';
  #ticket: Promise<Principal | Refusal> | undefined;
  #principal: Principal | undefined;
  /** Until the token is checked. */
  #waiting: ClientFrame[] | undefined;
  #refreshing: Promise<void> | undefined;
  #heardAt = Date.now();
  #pingDue: number;

  constructor(ws: WebSocket, { ticket, place }: SessionOptions, parts: SessionParts) {
    this.#ws = ws;
    this.#parts = parts;
    this.#place = place;
    const { config, flusher, clients, tickets } = parts;
    this.#rate = new RateLimit(config.TOOLSTREAM_FRAMES_PER_SECOND, performance.now());
    this.#pingDue = this.#openedAt + config.TOOLSTREAM_HEARTBEAT_MS;
    this.#subscriptions = new Subscriptions(this, parts);
    const settings: QueueSettings = {
      flusher,
      form: 'ws',
      limitBytes: config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
      slowMs: config.TOOLSTREAM_SLOW_CLIENT_MS,
    };
    this.outlet = new ClientQueue(wireOf(ws), settings, this);
    this.#acks = new Acks(this.#subscriptions);
    if (ticket !== undefined) this.#ticket = tickets.redeem(ticket).catch(asRefusal);
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
    } else if (now - this.#heardAt >= config.TOOLSTREAM_HEARTBEAT_MS * SILENCE_FACTOR) {
      this.#bye(4203);
      this.terminate();
    } else if (this.#acks.judge(now) === 'close') {
      this.onSlow();
    } else if (this.#state === 'open') {
      this.#ping(now, ping);
    }
  }

  /** The heartbeat is for both sides to see a dead connection; between two of them a ping asks what the client has. */
  #ping(now: number, ping: Frame): void {
    const beat = now >= this.#pingDue;
    if (beat) {
      this.#pingDue = now + this.#parts.config.TOOLSTREAM_HEARTBEAT_MS;
      this.#ws.ping();
    }
    // A client that does not read its events does not read this either.
    if (this.outlet.congested || !(beat || this.#acks.due(now))) return;
    this.outlet.write(ping);
    this.#acks.pinged(now);
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
    this.#heardAt = Date.now();
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
    else if (limit === 'limited') this.error(new Refusal('rate_limited'), labels(read.frame));
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
    const principal = await this.#identify(hello.token)
      .then((known) => this.#admitted(known))
      .catch(asRefusal);
    if (this.closed) return;
    if (principal instanceof Refusal) {
      this.error(principal);
      return this.#bye(closeCodeOf(principal));
    }
    this.#principal = principal;
    this.#state = 'open';
    this.#welcome(principal);
    for (const wish of hello.subscribe ?? []) void this.#subscriptions.subscribe(wish);
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const frame of waiting) this.#handle(frame);
  }

  async #identify(token: string | undefined): Promise<Principal> {
    if (token !== undefined || !this.#ticket) return this.#parts.tokens.verify(token);
    const redeemed = await this.#ticket;
    if (redeemed instanceof Refusal) throw redeemed;
    return redeemed;
  }

  #admitted(principal: Principal): Principal {
    // A ticket was redeemed when the connection came, which may be a while ago.
    if (this.#parts.revocations.covers(principal)) throw new Refusal('token_revoked');
    if (!hasScope(principal, 'runs:read') && !hasScope(principal, 'runs:control')) {
      throw new Refusal('forbidden', 'A connection needs the scope runs:read or runs:control.');
    }
    this.#place.claim(principal);
    return principal;
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
    if ((frame.type === 'subscribe' || frame.type === 'command') && this.#expired()) {
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
        this.#acks.answered(frame.positions, Date.now());
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

  #expired(): boolean {
    return isExpired(this.principal, Date.now());
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

  /** A new token for the same caller. */
  async #refresh(token: string): Promise<void> {
    const principal = await this.#parts.tokens.verify(token).catch(asRefusal);
    if (this.closed) return;
    if (principal instanceof Refusal) return this.error(principal);
    if (principal.tenant !== this.principal.tenant || principal.sub !== this.principal.sub) {
      return this.error(new Refusal('forbidden', 'The token belongs to another caller: open a new connection.'));
    }
    this.#principal = principal;
    this.#welcome(principal);
    this.#subscriptions.recheck(principal);
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

const CLOSE_CODES: Partial<Record<ErrorCode, CloseCode>> = {
  token_expired: 4200,
  token_revoked: 4004,
  unauthenticated: 4001,
  forbidden: 4003,
  rate_limited: 4101,
};
/** How a refused greeting ends. */
const closeCodeOf = ({ code }: Refusal): CloseCode => CLOSE_CODES[code] ?? 4103;

function labels(frame: ClientFrame): About {
  return {
    ...('id' in frame ? { id: frame.id } : {}),
    ...('run' in frame && frame.run !== undefined ? { run: frame.run } : {}),
    ...('app' in frame && frame.app !== undefined ? { app: frame.app } : {}),
    ...('message_id' in frame && frame.message_id !== undefined ? { message_id: frame.message_id } : {}),
  };
}
