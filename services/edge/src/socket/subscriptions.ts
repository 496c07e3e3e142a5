import type { Subscription as SubscriptionWish } from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { RunReader } from '../adapters/run-reader.ts';
import { hasScope, mayUseApp, type Principal, requireApp, requireScope } from '../auth/principal.ts';
import type { EdgeConfig } from '../config.ts';
import type { Feeds, Lease } from '../feeds/feeds.ts';
import type { EdgeLog } from '../feeds/log.ts';
import { Subscription } from '../feeds/subscription.ts';
import type { EdgeMetrics } from '../metrics.ts';
import { Refusal } from '../problems.ts';
import { type Peer, refusalFor } from './peer.ts';

export interface SubscriptionsParts {
  readonly config: EdgeConfig;
  readonly log: EdgeLog;
  readonly logger: Logger;
  readonly feeds: Feeds;
  readonly reader: RunReader;
  readonly metrics: EdgeMetrics;
}

/** A place among a connection's subscriptions, taken before anything is read and given back when it ends. */
interface Held {
  readonly names: { run: string } | { app: string };
  lease: Lease | undefined;
  subscription: Subscription | undefined;
  /** The app it belongs to, once known: what a refreshed token is checked against. */
  appOf: string | undefined;
  over: boolean;
}

/** What one connection watches. Whether it may is asked at every subscription, a resumed one like a new one. */
export class Subscriptions {
  readonly #peer: Peer;
  readonly #parts: SubscriptionsParts;
  readonly #held = new Map<string, Held>();

  constructor(peer: Peer, parts: SubscriptionsParts) {
    this.#peer = peer;
    this.#parts = parts;
  }

  get size(): number {
    return this.#held.size;
  }

  /** A repeated subscription replaces the one before: how a client that found a gap asks again. */
  async subscribe(wish: SubscriptionWish): Promise<void> {
    const names = 'run' in wish ? { run: wish.run } : { app: wish.app };
    const key = keyOf(names);
    this.#release(key);
    if (this.#held.size >= this.#parts.config.TOOLSTREAM_MAX_SUBSCRIPTIONS) {
      return this.#peer.error(new Refusal('too_many_subscriptions'), names);
    }
    const held: Held = { names, lease: undefined, subscription: undefined, appOf: undefined, over: false };
    this.#held.set(key, held);
    try {
      const lease = await this.#lease(wish, held);
      held.lease = lease;
      if (held.over) return lease.release();
      held.subscription = new Subscription({
        feed: lease.feed,
        log: this.#parts.log,
        outlet: this.#peer.outlet,
        catchUpBytes: this.#parts.config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
        onOver: () => this.#drop(key, held),
        onSnapshot: (reason) => this.#parts.metrics.snapshot(reason),
        onFault: (error) => this.#parts.logger.error({ error: asError(error), ...names }, 'a subscription failed'),
      });
      await held.subscription.start(wish.cursor);
    } catch (error) {
      const refusal = refusalFor(error, this.#parts.logger, names);
      if (!held.over) this.#peer.error(refusal, names);
      this.#drop(key, held);
    }
  }

  release(names: { run?: string | undefined; app?: string | undefined }): void {
    if (names.run !== undefined) this.#release(keyOf({ run: names.run }));
    if (names.app !== undefined) this.#release(keyOf({ app: names.app }));
  }

  /** Ends what a new token no longer allows; the rest goes on without a break. */
  recheck(principal: Principal): void {
    for (const [key, held] of [...this.#held]) {
      const allowed = held.appOf === undefined || mayUseApp(principal, held.appOf);
      if (allowed && hasScope(principal, 'runs:read')) continue;
      this.#peer.error(new Refusal('forbidden', 'The new token does not allow this subscription.'), held.names);
      this.#drop(key, held);
    }
  }

  /** The connection has room again. */
  drained(): void {
    for (const held of this.#held.values()) held.subscription?.drained();
  }

  close(): void {
    for (const [key, held] of [...this.#held]) this.#drop(key, held);
  }

  async #lease(wish: SubscriptionWish, held: Held): Promise<Lease> {
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
    const lease = await feeds.run(address);
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
}

const keyOf = (names: { run: string } | { app: string }): string =>
  'run' in names ? `run/${names.run}` : `app/${names.app}`;
