import { partitionOfRun, type RunAddress, type Subscription as SubscriptionWish } from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { RunReader } from '../adapters/run-reader.ts';
import { hasScope, mayUseApp, type Principal, requireApp, requireScope } from '../auth/principal.ts';
import type { EdgeConfig } from '../config.ts';
import type { Feeds, Lease } from '../feeds/feeds.ts';
import type { EdgeLog } from '../feeds/log.ts';
import { Subscription } from '../feeds/subscription.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { Refusal } from '../problems.ts';
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

/** A place among a connection's subscriptions, taken before anything is read and given back when it ends. */
interface Held {
  readonly names: Names;
  /** The message whose newest run this is; absent where the client named the run itself. */
  readonly message: string | undefined;
  lease: Lease | undefined;
  subscription: Subscription | undefined;
  /** The app it belongs to, once known: what a refreshed token is checked against. */
  appOf: string | undefined;
  over: boolean;
}

/** What one connection watches. Whether it may is asked at every subscription, a resumed one like a new one. */
export class Subscriptions implements RunFollower {
  readonly #peer: Peer;
  readonly #parts: SubscriptionsParts;
  readonly #held = new Map<string, Held>();
  readonly #messages: MessageSubscriptions;

  constructor(peer: Peer, parts: SubscriptionsParts) {
    this.#peer = peer;
    this.#parts = parts;
    this.#messages = new MessageSubscriptions(peer, parts, this);
  }

  /** A message and its run are one. */
  get size(): number {
    let ofMessages = 0;
    if (this.#messages.size > 0) for (const { message } of this.#held.values()) if (message !== undefined) ofMessages++;
    return this.#held.size - ofMessages + this.#messages.size;
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
      this.#drop(key, held);
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
      if (!lease) this.#drop(key, held);
      else if (!held.over) ready();
      if (lease) await this.#start(held, lease, cursor);
      return lease !== undefined;
    } catch (error) {
      this.#drop(key, held);
      throw error;
    }
  }

  unfollow(message: string, run: string): void {
    const key = keyOf({ run });
    const held = this.#held.get(key);
    if (held?.message === message) this.#drop(key, held);
  }

  release(names: { run?: string | undefined; app?: string | undefined; message_id?: string | undefined }): void {
    if (names.run !== undefined) this.#release(keyOf({ run: names.run }));
    if (names.app !== undefined) this.#release(keyOf({ app: names.app }));
    if (names.message_id !== undefined) this.#messages.release(names.message_id);
  }

  /** Ends what a new token no longer allows; the rest goes on without a break. */
  recheck(principal: Principal): void {
    this.#messages.recheck(principal);
    for (const [key, held] of [...this.#held]) {
      const allowed = held.appOf === undefined || mayUseApp(principal, held.appOf);
      if (allowed && hasScope(principal, 'runs:read')) continue;
      this.#peer.error(new Refusal('forbidden', 'The new token does not allow this subscription.'), held.names);
      this.#drop(key, held);
    }
  }

  /** Those that have begun. */
  *active(): Generator<Subscription> {
    for (const { subscription } of this.#held.values()) if (subscription) yield subscription;
  }

  /** The connection has room again. Who was asked first is asked last the next time, so that none takes all the room. */
  drained(waited: boolean): void {
    const [first] = this.#held;
    for (const subscription of [...this.active()]) subscription.drained(waited);
    if (first && this.#held.get(first[0]) === first[1]) {
      this.#held.delete(first[0]);
      this.#held.set(...first);
    }
  }

  close(): void {
    this.#messages.close();
    for (const [key, held] of [...this.#held]) this.#drop(key, held);
  }

  #hasRoom(names: About): boolean {
    if (this.size < this.#parts.config.TOOLSTREAM_MAX_SUBSCRIPTIONS) return true;
    this.#peer.error(new Refusal('too_many_subscriptions'), names);
    return false;
  }

  #hold(names: Names, message: string | undefined): Held {
    const held: Held = { names, message, lease: undefined, subscription: undefined, appOf: undefined, over: false };
    this.#held.set(keyOf(names), held);
    return held;
  }

  async #start(held: Held, lease: Lease, cursor: string | undefined): Promise<void> {
    const { log, config, metrics, logger } = this.#parts;
    const { names } = held;
    held.lease = lease;
    if (held.over) return lease.release();
    held.subscription = new Subscription({
      feed: lease.feed,
      log,
      outlet: this.#peer.outlet,
      catchUpBytes: config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
      onOver: () => this.#drop(keyOf(names), held),
      onSnapshot: (reason) => metrics.snapshot(reason),
      onSlow: (step) => metrics.slow(step),
      onFault: (error) => logger.error({ error: asError(error), ...names }, 'a subscription failed'),
    });
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
    if (held) this.#drop(key, held);
  }

  #drop(key: string, held: Held): void {
    held.over = true;
    held.subscription?.close();
    held.lease?.release();
    if (this.#held.get(key) === held) this.#held.delete(key);
  }
}

const keyOf = (names: Names): string => ('run' in names ? `run/${names.run}` : `app/${names.app}`);
