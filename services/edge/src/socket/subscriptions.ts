import {
  partitionOfRun,
  type RunAddress,
  type SnapshotReason,
  type Subscription as SubscriptionWish,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { RunReader } from '../adapters/run-reader.ts';
import { hasScope, mayUseApp, type Principal, requireApp, requireScope } from '../auth/principal.ts';
import type { EdgeConfig } from '../config.ts';
import type { Feed } from '../feeds/feed.ts';
import type { Feeds, Lease } from '../feeds/feeds.ts';
import { type Ladder, ladderOf, type SlowStep } from '../feeds/ladder.ts';
import type { EdgeLog } from '../feeds/log.ts';
import { type Outlet, Subscription, type SubscriptionOptions } from '../feeds/subscription.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { Refusal } from '../problems.ts';
import type { AcksOptions } from './acks.ts';
import { Few } from './few.ts';
import { MessageSubscriptions, type MessageSubscriptionsParts, type RunFollower } from './message-subscriptions.ts';
import { type About, type Peer, refusalFor } from './peer.ts';

export interface SubscriptionsParts extends MessageSubscriptionsParts {
  readonly config: EdgeConfig;
  readonly log: EdgeLog;
  readonly logger: Logger;
  readonly feeds: Feeds;
  readonly reader: RunReader;
  readonly metrics: EdgeMetrics;
}

type Names = { readonly run: string } | { readonly app: string };

/**
 * A place among a connection's subscriptions, taken before anything is read and given back when it ends. It is what its
 * subscription is told to use and whom it tells, so that there is one object for all of this.
 */
class Held implements SubscriptionOptions {
  readonly names: Names;
  /** The message whose newest run this is; absent where the client named the run itself. */
  readonly message: string | undefined;
  readonly outlet: Outlet;
  readonly #parts: SubscriptionsParts;
  readonly #owner: Subscriptions;
  lease: Lease | undefined;
  subscription: Subscription | undefined;
  /** The app it belongs to, once known: what a refreshed token is checked against. */
  appOf: string | undefined;
  over = false;

  constructor(
    names: Names,
    message: string | undefined,
    { outlet, parts, owner }: { outlet: Outlet; parts: SubscriptionsParts; owner: Subscriptions },
  ) {
    this.names = names;
    this.message = message;
    this.outlet = outlet;
    this.#parts = parts;
    this.#owner = owner;
  }

  get key(): string {
    return keyOf(this.names);
  }

  get feed(): Feed {
    return this.lease!.feed;
  }

  get log(): EdgeLog {
    return this.#parts.log;
  }

  get catchUpBytes(): number {
    return this.#parts.config.TOOLSTREAM_CLIENT_BUFFER_BYTES;
  }

  onOver(): void {
    this.#owner.drop(this);
  }

  onSnapshot(reason: SnapshotReason): void {
    this.#parts.metrics.snapshot(reason);
  }

  onSlow(step: Exclude<SlowStep, 'close'>): void {
    this.#parts.metrics.slow(step);
  }

  onFault(error: unknown): void {
    this.#parts.logger.error({ error: asError(error), ...this.names }, 'a subscription failed');
  }
}

/** What one connection watches. Whether it may is asked at every subscription, a resumed one like a new one. */
export class Subscriptions implements RunFollower, AcksOptions {
  readonly #peer: Peer;
  readonly #parts: SubscriptionsParts;
  readonly #held = new Few<Held>();
  /** Few connections watch messages. */
  #ofMessages: MessageSubscriptions | undefined;

  constructor(peer: Peer, parts: SubscriptionsParts) {
    this.#peer = peer;
    this.#parts = parts;
  }

  get #messages(): MessageSubscriptions {
    this.#ofMessages ??= new MessageSubscriptions(this.#peer, this.#parts, this);
    return this.#ofMessages;
  }

  /** A message and its run are one. */
  get size(): number {
    const messages = this.#ofMessages?.size ?? 0;
    let ofMessages = 0;
    if (messages > 0) for (const { message } of this.#held.values()) if (message !== undefined) ofMessages++;
    return this.#held.size - ofMessages + messages;
  }

  /** A repeated subscription replaces the one before: how a client that found a gap asks again. */
  async subscribe(wish: SubscriptionWish): Promise<void> {
    if ('message_id' in wish) {
      const { message_id } = wish;
      this.#messages.release(message_id);
      if (this.#hasRoom({ message_id })) this.#messages.subscribe(message_id, wish.cursor);
      return;
    }
    const names = 'run' in wish ? { run: wish.run } : { app: wish.app };
    const key = keyOf(names);
    this.#release(key);
    if (!this.#hasRoom(names)) return;
    const held = this.#hold(names, undefined);
    try {
      const lease = await this.#lease(wish, held);
      if (!lease) throw new Refusal('not_found', 'There is no such run.');
      await this.#start(held, lease, wish.cursor);
    } catch (error) {
      const refusal = refusalFor(error, this.#parts.logger, names);
      if (!held.over) this.#peer.error(refusal, names);
      this.drop(held);
    }
  }

  /** A run that the client has subscribed to itself is not sent twice. */
  async follow(message: string, run: RunAddress, cursor: string | undefined, ready: () => void): Promise<boolean> {
    const { feeds, log } = this.#parts;
    const names = { run: run.run };
    const key = keyOf(names);
    if (this.#held.has(key)) {
      ready();
      return true;
    }
    const held = this.#hold(names, message);
    try {
      held.appOf = run.app;
      const lease = partitionOfRun(run.run)! < log.partitions ? await feeds.run(run) : undefined;
      if (!lease) this.drop(held);
      else if (!held.over) ready();
      if (lease) await this.#start(held, lease, cursor);
      return lease !== undefined;
    } catch (error) {
      this.drop(held);
      throw error;
    }
  }

  unfollow(message: string, run: string): void {
    const held = this.#held.get(keyOf({ run }));
    if (held?.message === message) this.drop(held);
  }

  release(names: { run?: string | undefined; app?: string | undefined; message_id?: string | undefined }): void {
    if (names.run !== undefined) this.#release(keyOf({ run: names.run }));
    if (names.app !== undefined) this.#release(keyOf({ app: names.app }));
    if (names.message_id !== undefined) this.#ofMessages?.release(names.message_id);
  }

  /** Ends what a new token no longer allows; the rest goes on without a break. */
  recheck(principal: Principal): void {
    this.#ofMessages?.recheck(principal);
    for (const held of this.#held.values()) {
      const allowed = held.appOf === undefined || mayUseApp(principal, held.appOf);
      if (allowed && hasScope(principal, 'runs:read')) continue;
      this.#peer.error(new Refusal('forbidden', 'The new token does not allow this subscription.'), held.names);
      this.drop(held);
    }
  }

  get ladder(): Ladder {
    const { config } = this.#parts;
    return ladderOf(config.TOOLSTREAM_CLIENT_BUFFER_BYTES, config.TOOLSTREAM_SLOW_CLIENT_MS);
  }

  onAcknowledged(lagMs: number): void {
    this.#parts.metrics.acknowledged(lagMs);
  }

  /** Those that have begun. */
  *subscriptions(): Generator<Subscription> {
    for (const { subscription } of this.#held.values()) if (subscription) yield subscription;
  }

  /** The connection has room again. Who was asked first is asked last the next time, so that none takes all the room. */
  drained(waited: boolean): void {
    const { first } = this.#held;
    for (const subscription of [...this.subscriptions()]) subscription.drained(waited);
    if (first && this.#held.first === first) {
      this.#held.delete(first);
      this.#held.set(first);
    }
  }

  close(): void {
    this.#ofMessages?.close();
    for (const held of this.#held.values()) this.drop(held);
  }

  #hasRoom(names: About): boolean {
    if (this.size < this.#parts.config.TOOLSTREAM_MAX_SUBSCRIPTIONS) return true;
    this.#peer.error(new Refusal('too_many_subscriptions'), names);
    return false;
  }

  #hold(names: Names, message: string | undefined): Held {
    const held = new Held(names, message, { outlet: this.#peer.outlet, parts: this.#parts, owner: this });
    this.#held.set(held);
    return held;
  }

  async #start(held: Held, lease: Lease, cursor: string | undefined): Promise<void> {
    held.lease = lease;
    if (held.over) return lease.release();
    held.subscription = new Subscription(held);
    await held.subscription.start(cursor);
  }

  async #lease(wish: { run: string } | { app: string }, held: Held): Promise<Lease | undefined> {
    const { feeds, reader } = this.#parts;
    const { principal } = this.#peer;
    requireScope(principal, 'runs:read');
    if ('app' in wish) {
      requireApp(principal, wish.app);
      held.appOf = wish.app;
      return feeds.app(principal.tenant, wish.app);
    }
    const address = await reader.locate(principal.tenant, wish.run);
    if (!address) throw new Refusal('not_found', 'There is no such run.');
    // The token may have been refreshed meanwhile: what counts is the newest.
    requireApp(this.#peer.principal, address.app);
    held.appOf = address.app;
    return feeds.run(address);
  }

  #release(key: string): void {
    const held = this.#held.get(key);
    if (held) this.drop(held);
  }

  drop(held: Held): void {
    held.over = true;
    held.subscription?.close();
    held.lease?.release();
    this.#held.delete(held);
  }
}

const keyOf = (names: Names): string => ('run' in names ? `run/${names.run}` : `app/${names.app}`);
