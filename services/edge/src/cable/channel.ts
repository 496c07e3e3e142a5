import { setTimeout as sleep } from 'node:timers/promises';
import { CURSOR_START, type MessageLink, partitionOfRun, type RunAddress } from '@toolstream/proto-events';
import { mayUseApp, requireApp, requireScope } from '../auth/principal.ts';
import type { Subscription } from '../feeds/subscription.ts';
import { asRefusal, Refusal } from '../problems.ts';
import type { CableHost } from './host.ts';
import { emptyQueue } from './messages.ts';
import { NOWHERE, type PagePlace, type Place, type ReadStanding, standingAt, standingOf } from './standing.ts';
import type { Target } from './target.ts';
import { ExtVoice, streamName, v1Voice } from './voice.ts';
import { Watch, type Watched } from './watch.ts';
import { EXT, type History } from './wire.ts';

/** How the client came to this subscription. */
export interface Joining {
  /** What an ext-json client asks for. */
  readonly history?: History | undefined;
  /** What is remembered of a page. */
  readonly place?: PagePlace | undefined;
}

/**
 * An AnyCable client registers a channel a moment after it has read the confirmation, and loses what is told about the
 * channel's history before that, should both come in one packet.
 */
const HISTORY_AFTER_MS = 25;
const AGAIN_MS = 500;

/** One subscription of a connection: what an identifier names, watched by its feed. A message's run may change. */
export class Channel {
  readonly identifier: string;
  readonly target: Target;
  readonly #host: CableHost;
  #state: 'asking' | 'open' | 'over' = 'asking';
  #watch: Watch | undefined;
  #address: RunAddress | undefined;
  #joining: Joining = {};
  #historyDue = false;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** The client has been told that there is no run, or of another one. */
  #waited = false;
  /** Of several beginnings the last one counts. */
  #turn = 0;
  #stop: () => void = () => {};

  constructor(host: CableHost, identifier: string, target: Target) {
    this.#host = host;
    this.identifier = identifier;
    this.target = target;
  }

  get isOpen(): boolean {
    return this.#state === 'open';
  }

  /** The run that commands are about: for an app there is none. */
  get run(): RunAddress | undefined {
    return this.#address;
  }

  get subscription(): Subscription | undefined {
    return this.#watch?.subscription;
  }

  /** Where the client stands, by what it was sent. */
  get place(): PagePlace | undefined {
    const cursor = this.#watch?.cursor;
    return cursor === undefined ? undefined : { run: this.#address?.run, cursor };
  }

  /** Asks whether the caller may; asks again while nobody can tell. False: it may not, or there is no such thing. */
  async authorize(): Promise<boolean> {
    for (;;) {
      try {
        await this.#check();
        return this.#state === 'asking';
      } catch (error) {
        const refusal = asRefusal(error);
        if (refusal.code === 'internal') this.#host.fault(error, this.identifier);
        if (refusal.code !== 'unavailable') return false;
      }
      await sleep(AGAIN_MS, undefined, { ref: false });
      if (this.#state === 'over') return false;
    }
  }

  /** Begins. `confirm`: the client has not been told yet. */
  open(joining: Joining, { confirm }: { confirm: boolean }): void {
    if (this.#state !== 'asking') return;
    this.#state = 'open';
    this.#joining = joining;
    this.#historyDue = joining.history !== undefined;
    if (confirm) {
      this.#host.send({ type: 'confirm_subscription', identifier: this.identifier });
      this.#confirmedAt = performance.now();
    }
    const { target } = this;
    const { tenant } = this.#host.principal;
    switch (target.kind) {
      case 'run':
        void this.#begin(this.#address!, this.#joined(this.#address!));
        return;
      case 'app':
        void this.#begin({ tenant, app: target.app }, this.#joined({ tenant, app: target.app }));
        return;
      case 'message':
        this.#stop = this.#host.services.messages.watch(
          tenant,
          target.message,
          (link) => this.#follow(link),
          () => this.#wait(target.message),
        );
    }
  }

  drained(waited: boolean): void {
    this.#watch?.drained(waited);
  }

  close(): void {
    this.#state = 'over';
    this.#stop();
    this.#watch?.close();
  }

  async #check(): Promise<void> {
    const { principal, services } = this.#host;
    requireScope(principal, 'runs:read');
    const { target } = this;
    if (target.kind === 'app') requireApp(principal, target.app);
    if (target.kind !== 'run') return;
    const address = await services.reader.locate(principal.tenant, target.run);
    if (!address) throw new Refusal('not_found', 'There is no such run.');
    requireApp(principal, address.app);
    this.#address = address;
  }

  /** A message has no run yet. */
  #wait(message: string): void {
    this.#waited = true;
    this.#host.say(this.identifier, emptyQueue(message));
    void this.#answerHistory('confirm_history');
  }

  /** The newest run of the message. Who has been waiting, or watched another run, sees this one from its first event. */
  #follow({ run, app }: MessageLink): void {
    const { principal, services } = this.#host;
    if (!mayUseApp(principal, app) || partitionOfRun(run)! >= services.log.partitions) return;
    const address = { tenant: principal.tenant, app, run };
    this.#address = address;
    void this.#begin(address, this.#waited ? FROM_THE_START : this.#joined(address));
    this.#waited = true;
  }

  #joined(watched: Watched): ReadStanding {
    const { history, place } = this.#joining;
    if (history !== undefined) return standingOf(history, this.#placeOf(watched));
    if (place === undefined || place.run !== watched.run) return { standing: NOWHERE, lost: false };
    return { standing: standingAt(place.cursor, this.#placeOf(watched)), lost: false };
  }

  #placeOf({ run }: Watched): Place {
    const { log } = this.#host.services;
    return {
      epoch: (partition) => log.epoch(partition),
      partitions: run === undefined ? Array.from({ length: log.partitions }, (_, p) => p) : [partitionOfRun(run)!],
      stream: (partition) => streamName(this.target, this.identifier, run ?? '', partition),
    };
  }

  async #begin(watched: Watched, { standing, lost }: ReadStanding): Promise<void> {
    const turn = ++this.#turn;
    this.#watch?.close();
    this.#watch = undefined;
    if (lost) {
      await this.#answerHistory('reject_history');
      if (turn !== this.#turn || this.#state === 'over') return;
    }
    const { services, past, outlet, protocol } = this.#host;
    const ext = protocol === EXT ? new ExtVoice(this.identifier, this.#placeOf(watched).stream) : undefined;
    this.#watch = new Watch({
      services,
      past,
      watched,
      standing,
      voice: ext ?? v1Voice(this.identifier),
      ext,
      queue: outlet,
      onLost: ext && (() => void this.#begin(watched, { standing: NOWHERE, lost: true })),
      onCaughtUp: () => void this.#answerHistory('confirm_history'),
      onGone: () => this.#gone(),
    });
  }

  async #answerHistory(type: 'confirm_history' | 'reject_history'): Promise<void> {
    if (!this.#historyDue) return;
    this.#historyDue = false;
    const early = this.#confirmedAt + HISTORY_AFTER_MS - performance.now();
    if (early > 0) await sleep(early, undefined, { ref: false });
    if (this.#state === 'open') this.#host.send({ type, identifier: this.identifier });
  }

  #gone(): void {
    if (this.target.kind === 'message') this.#address = undefined;
    else this.#host.reject(this.identifier);
  }
}

const FROM_THE_START: ReadStanding = { standing: { cursor: CURSOR_START }, lost: false };
