import { CURSOR_START, type RunAddress } from '@toolstream/proto-events';
import { asError } from '@toolstream/service-kit';
import type { Lease } from '../feeds/feeds.ts';
import { Subscription } from '../feeds/subscription.ts';
import { asRefusal, type Refusal } from '../problems.ts';
import type { Services } from '../services.ts';
import { CableOutlet, type CableQueue } from './outlet.ts';
import type { PastStates } from './past-states.ts';
import type { Standing } from './standing.ts';
import type { ExtVoice, Voice } from './voice.ts';

export type WatchServices = Pick<Services, 'config' | 'feeds' | 'log' | 'logger' | 'metrics' | 'reader'>;
export type Watched = RunAddress | { readonly tenant: string; readonly app: string; readonly run?: never };

export interface WatchOptions {
  readonly services: WatchServices;
  readonly past: PastStates;
  readonly watched: Watched;
  readonly standing: Standing;
  readonly voice: Voice;
  readonly ext: ExtVoice | undefined;
  readonly queue: CableQueue;
  /** The client has what the log held when it came. */
  onCaughtUp(): void;
  /** See {@link CableOutletOptions.onLost}. */
  readonly onLost: (() => void) | undefined;
  /** The run is not in the log. */
  onGone(): void;
}

const AGAIN_MS = 1_000;

/** A client's place in one feed, until it ends. What cannot be read now is tried again from where the client stands. */
export class Watch {
  readonly #options: WatchOptions;
  #lease: Lease | undefined;
  #outlet: CableOutlet | undefined;
  #subscription: Subscription | undefined;
  #standing: Standing;
  #again: NodeJS.Timeout | undefined;
  #caughtUp = false;
  #over = false;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#standing = options.standing;
    for (const { partition, epoch, offset } of options.standing.heard ?? []) {
      options.ext?.heard(partition, epoch, offset);
    }
    void this.#attach();
  }

  /** Whose words the client was sent last. */
  get cursor(): string | undefined {
    const { cursor } = this.#standing;
    return this.#outlet?.cursor ?? (cursor === CURSOR_START ? undefined : cursor);
  }

  get subscription(): Subscription | undefined {
    return this.#subscription;
  }

  drained(waited: boolean): void {
    if (!this.#outlet?.congested) this.#subscription?.drained(waited);
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    clearTimeout(this.#again);
    this.#detach();
  }

  async #attach(): Promise<void> {
    const { services, watched, past } = this.#options;
    try {
      const lease = await this.#open();
      if (!lease || this.#over) {
        lease?.release();
        if (!this.#over) this.#gone();
        return;
      }
      this.#lease = lease;
      const { cursor, redraw } = this.#standing;
      const outlet = this.#newOutlet();
      this.#outlet = outlet;
      if (redraw && watched.run !== undefined) {
        const state = await past.at(watched, redraw.seq);
        if (this.#over) return;
        if (state) outlet.redraw(state, redraw);
        const { redraw: _done, ...rest } = this.#standing;
        this.#standing = rest;
      }
      const subscription = new Subscription({
        feed: lease.feed,
        log: services.log,
        outlet,
        catchUpBytes: services.config.TOOLSTREAM_CLIENT_BUFFER_BYTES,
        onOver: (failure) => this.#ended(failure),
        onSnapshot: (reason) => services.metrics.snapshot(reason),
        onSlow: (step) => services.metrics.slow(step),
        onFault: (error) => this.#report(error),
      });
      this.#subscription = subscription;
      await subscription.start(cursor);
    } catch (error) {
      this.#failed(error);
    }
  }

  #open(): Promise<Lease | undefined> {
    const { services, watched } = this.#options;
    return watched.run === undefined
      ? services.feeds.app(watched.tenant, watched.app)
      : services.feeds.run(watched as RunAddress);
  }

  #newOutlet(): CableOutlet {
    const { services, past, voice, queue, watched } = this.#options;
    const { cursor, listed = false } = this.#standing;
    return new CableOutlet({
      tenant: watched.tenant,
      voice,
      queue,
      past,
      reader: services.reader,
      cursor: cursor === CURSOR_START ? undefined : cursor,
      listed,
      onCaughtUp: () => {
        if (this.#caughtUp) return;
        this.#caughtUp = true;
        this.#options.onCaughtUp();
      },
      onLost: this.#options.onLost,
      onRoom: () => this.#subscription?.drained(false),
      onFault: (error) => this.#failed(error),
    });
  }

  #ended(failure: Refusal | undefined): void {
    if (failure) this.#failed(failure);
    else this.#release();
  }

  #failed(error: unknown): void {
    if (this.#over) return;
    const refusal = asRefusal(error);
    if (refusal.code === 'internal') this.#report(error);
    if (refusal.code === 'not_found') {
      this.#gone();
      return;
    }
    const { cursor } = this;
    this.#detach();
    if (cursor !== undefined) this.#standing = { ...this.#standing, cursor, listed: true };
    clearTimeout(this.#again);
    this.#again = setTimeout(() => void this.#attach(), AGAIN_MS);
    this.#again.unref();
  }

  #gone(): void {
    this.close();
    this.#options.onGone();
  }

  #report(error: unknown): void {
    const { services, watched } = this.#options;
    services.logger.error({ error: asError(error), ...watched }, 'a cable subscription failed');
  }

  /** The run has ended: nothing follows, but the client still stands where it stands. */
  #release(): void {
    this.#lease?.release();
    this.#lease = undefined;
  }

  #detach(): void {
    this.#subscription?.close();
    this.#subscription = undefined;
    this.#outlet?.close();
    this.#release();
  }
}
