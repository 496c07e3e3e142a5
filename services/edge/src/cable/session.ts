import { asError } from '@toolstream/service-kit';
import type { WebSocket } from 'ws';
import type { Principal } from '../auth/principal.ts';
import { ladderOf } from '../feeds/ladder.ts';
import { asRefusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { Acks } from '../socket/acks.ts';
import type { Place } from '../socket/admission.ts';
import type { Client } from '../socket/clients.ts';
import { ClientQueue } from '../socket/queue.ts';
import { wireOf } from '../socket/wire.ts';
import { Channels } from './channels.ts';
import { type CableRequest, identify } from './credentials.ts';
import { farewellTo, type Why, whyOf } from './farewell.ts';
import { Greeting } from './greeting.ts';
import type { CableHost } from './host.ts';
import { Inbox } from './inbox.ts';
import type { Places } from './memory.ts';
import type { CableMessage } from './messages.ts';
import type { CableQueue } from './outlet.ts';
import { type Page, placesOf } from './page.ts';
import type { PastStates } from './past-states.ts';
import { Receipts } from './receipts.ts';
import { v1Voice } from './voice.ts';
import { type ControlFrame, controlFrame } from './wire.ts';
import { wordsOf } from './words.ts';

export interface CableSessionOptions {
  readonly request: CableRequest;
  readonly place: Place;
}

/** Two heartbeats unanswered, and some time for the answer to travel. */
const SILENCE_FACTOR = 2.5;
/** Clients think a connection dead after two missed pings; the timer behind this is not exact. */
const PING_EARLY = 0.7;
/** What `ws` reports for a connection that ended without a closing handshake. */
const ABNORMAL = 1006;

/**
 * One ActionCable connection's life: greeting, heartbeat, expiry, goodbye.
 *
 *   greeting (who is it, where does its page stand) ─→ open ─→ closed
 */
export class CableSession implements Client, CableHost {
  readonly kind = 'socket';
  readonly services: Services;
  readonly past: PastStates;
  readonly protocol: string;
  readonly outlet: CableQueue;
  readonly channels: Channels;
  readonly #ws: WebSocket;
  readonly #queue: ClientQueue;
  readonly #place: Place;
  readonly #inbox: Inbox;
  readonly #acks: Acks;
  readonly #receipts: Receipts<Places | undefined>;
  #state: 'greeting' | 'open' | 'closed' = 'greeting';
  #principal: Principal | undefined;
  #greeting: Greeting | undefined;
  #heardAt = Date.now();
  #pingedAt = Date.now();
  #askedAt = Date.now();
  /** What the client has, should it answer the goodbye: that came behind everything else. */
  #farewelled: Places | undefined;

  constructor(ws: WebSocket, { request, place }: CableSessionOptions, services: Services) {
    this.services = services;
    this.past = services.cable.past;
    this.protocol = ws.protocol;
    this.#ws = ws;
    this.#place = place;
    const { config, clients, metrics } = services;
    this.channels = new Channels(this);
    this.#inbox = new Inbox(this, (why) => this.end(why));
    this.#queue = new ClientQueue(wireOf(ws), 'ws', services, {
      onDrained: (waited) => this.channels.drained(waited),
      onSlow: () => this.#tooSlow(),
    });
    const queue = this.#queue;
    this.outlet = {
      get congested() {
        return queue.congested;
      },
      write: (chunk, lasting = false) => {
        queue.write(chunk);
        if (this.page) this.#receipts.want(lasting);
      },
    };
    this.#acks = new Acks({
      ladder: ladderOf(config.TOOLSTREAM_CLIENT_BUFFER_BYTES, config.TOOLSTREAM_SLOW_CLIENT_MS),
      subscriptions: () => this.channels.subscriptions(),
      onAcknowledged: (lagMs) => metrics.acknowledged(lagMs),
    });
    this.#receipts = new Receipts({
      ws,
      acks: this.#acks,
      flush: () => this.#queue.flush(),
      mark: () => this.page?.sent(this.channels.all()),
      onReceipt: (places) => places && this.page?.received(places),
    });
    ws.on('message', (data, isBinary) => {
      this.#heardAt = Date.now();
      if (!this.closed) this.#inbox.received(data as Buffer, isBinary);
    });
    ws.on('pong', () => {
      this.#heardAt = Date.now();
    });
    ws.on('close', (code) => this.#gone(code));
    clients.add(this);
    void this.#greet(request);
  }

  get principal(): Principal {
    return this.#principal!;
  }

  get caller(): Principal | undefined {
    return this.#principal;
  }

  get page(): Page | undefined {
    return this.#greeting?.page;
  }

  get subscriptions(): number {
    return this.channels.size;
  }

  get waitingBytes(): number {
    return this.#queue.waiting;
  }

  /** A getter: the compiler cannot know that the state changes while something is awaited. */
  get closed(): boolean {
    return this.#state === 'closed';
  }

  tick(now: number): void {
    const { config } = this.services;
    if (this.closed) return;
    const expires = this.#principal?.exp;
    if (expires !== undefined && now >= expires * 1000 + config.TOOLSTREAM_TOKEN_GRACE_MS) {
      this.end('expired');
    } else if (now - this.#heardAt >= config.TOOLSTREAM_HEARTBEAT_MS * SILENCE_FACTOR) {
      this.end('silent');
      this.terminate();
    } else if (this.#acks.judge(now) === 'close') {
      this.#tooSlow();
    } else if (this.#state === 'open') {
      this.#beat(now);
      this.#greeting?.tick(now);
    }
  }

  send(frame: ControlFrame): void {
    if (!this.closed) this.#queue.write(controlFrame(frame));
  }

  say(identifier: string, message: CableMessage): void {
    const ws = v1Voice(identifier).say(wordsOf([message], 'bare', { epoch: '', partition: 0, seq: 0 }));
    if (ws && !this.closed) this.#queue.write({ ws, sse: ws });
  }

  reject(identifier: string): void {
    this.channels.unsubscribe(identifier);
    this.page?.forget(identifier);
    this.send({ type: 'reject_subscription', identifier });
  }

  fault(error: unknown, identifier: string): void {
    this.services.logger.error({ error: asError(error), identifier }, 'a cable command failed');
  }

  revoke(): void {
    this.end('revoked');
  }

  drain(): void {
    this.end('drain');
  }

  terminate(): void {
    this.#ws.terminate();
  }

  /** Says why and closes. */
  end(why: Why): void {
    if (this.closed) return;
    const { reason, reconnect, code } = farewellTo(this.protocol, why);
    this.send({ type: 'disconnect', reason, reconnect });
    this.services.metrics.closed(code);
    this.#place.refused(reason);
    this.#farewelled = placesOf(this.channels.all());
    this.#queue.flush();
    this.#close();
    this.#ws.close(code, reason);
  }

  async #greet(request: CableRequest): Promise<void> {
    try {
      const principal = await identify(request, this.services);
      if (this.closed) return;
      this.#place.claim(principal);
      this.#principal = principal;
      this.#greeting = await Greeting.of(this, request);
    } catch (error) {
      const refusal = asRefusal(error);
      if (refusal.code === 'internal') this.fault(error, '');
      return this.end(whyOf(refusal.code, this.protocol));
    }
    if (this.closed) {
      this.#greeting.close();
      this.page?.close();
      return;
    }
    this.#state = 'open';
    this.send(this.#greeting.welcome);
    this.#inbox.open(this.#greeting);
  }

  #beat(now: number): void {
    const { config } = this.services;
    if (!this.#queue.congested && now - this.#pingedAt >= config.TOOLSTREAM_CABLE_PING_MS * PING_EARLY) {
      this.#pingedAt = now;
      this.send({ type: 'ping', message: Math.floor(now / 1000) });
    }
    if (now - this.#askedAt < config.TOOLSTREAM_HEARTBEAT_MS && (this.#queue.congested || !this.#acks.due(now))) return;
    this.#askedAt = now;
    this.#receipts.ask();
  }

  #tooSlow(): void {
    if (this.closed) return;
    this.services.metrics.slow('close');
    this.end('slow');
  }

  #gone(code: number): void {
    this.#close();
    this.#place.release();
    if (this.#farewelled && code !== ABNORMAL) this.page?.received(this.#farewelled);
    this.page?.close();
    this.services.clients.remove(this);
  }

  #close(): void {
    if (this.closed) return;
    this.#state = 'closed';
    this.#greeting?.close();
    this.#receipts.close();
    this.#inbox.close();
    this.#queue.close();
    this.channels.close();
  }
}
