import type { Loss } from './connection.ts';
import { Health } from './health.ts';
import type { Reach } from './reach.ts';
import { Timers } from './timers.ts';
import type { Timing } from './timing.ts';
import type { TransportName } from './transport.ts';

export interface ChoiceOptions {
  /** Those that may be used, the preferred one first. */
  readonly order: readonly TransportName[];
  readonly reach: Pick<Reach, 'ask'>;
  readonly timing: Timing;
  random(): number;
  /** The one in use. */
  active(): TransportName;
  /** Whether anything is to be carried at all. */
  isOn(): boolean;
  /** Whether the socket still waits to be greeted. */
  isDialling(): boolean;
  /** The socket need not wait for its next attempt. */
  hurry(): void;
  /** Whether a stream gets through. */
  tryStream(): Promise<boolean>;
  /** The choice has fallen on another one. */
  onChoice(name: TransportName): void;
}

/**
 * Which transport is to carry. The preferred one, until it turns out to be blocked while the service does answer over HTTP;
 * then the next one, and better ones are tried in the background until one holds.
 */
export class Choice {
  readonly #options: ChoiceOptions;
  readonly #timers = new Timers<'slow' | 'hold' | 'probe'>();
  readonly #health = new Health();
  #reason: string | undefined;
  /** Failed attempts at better transports. */
  #probes = 0;
  /** HTTP got through since the preferred transport last held. */
  #reached = false;

  constructor(options: ChoiceOptions) {
    this.#options = options;
  }

  /** Why the preferred transport is not in use. */
  get reason(): string | undefined {
    return this.#reason;
  }

  /** The least time between attempts of the socket, which tries itself: none while it is the one in use. */
  leastDelay(): number {
    return this.#options.active() === 'websocket' ? 0 : this.#probeDelay();
  }

  /** The socket tries itself; streams are tried from here. */
  lookForBetter(): void {
    const { order, active } = this.#options;
    if (active() !== 'polling' || !order.includes('sse')) return;
    this.#timers.set('probe', this.#probeDelay(), () => void this.#probeStreams());
  }

  stop(): void {
    this.#timers.clear();
  }

  dialled(): void {
    const { active, timing } = this.#options;
    if (active() === 'websocket') this.#timers.set('slow', timing.slowGreetingMs, () => void this.#greetingIsSlow());
  }

  opened(): void {
    const { active, timing } = this.#options;
    this.#timers.stop('slow');
    if (active() === 'websocket') return;
    this.#timers.set('hold', timing.holdMs, () => {
      this.#health.doubtful();
      this.#choose('websocket', undefined);
    });
  }

  lost({ byService, lastedMs }: Loss): void {
    const { active, timing } = this.#options;
    this.#timers.stop('slow');
    if (active() !== 'websocket') {
      this.#timers.stop('hold');
      this.#probes += 1;
      return;
    }
    if (byService || (lastedMs ?? 0) >= timing.steadyMs) {
      this.#health.held();
      this.#reached = false;
      this.#probes = 0;
      return;
    }
    this.#health.failed(lastedMs === undefined ? 'unopened' : 'short');
    if (!this.#health.blocked) return;
    if (this.#reached) this.#stepDown('websocket');
    else void this.#verify();
  }

  async streamsBlocked(): Promise<void> {
    const { active, reach } = this.#options;
    if (active() === 'sse' && (await reach.ask())) this.#stepDown('sse');
  }

  /** The service was away for everybody and is back: that says nothing of what was blocked before. */
  returned(): void {
    this.#probes = 0;
    this.#options.hurry();
  }

  #choose(name: TransportName, reason: string | undefined): void {
    this.#reason = reason;
    this.#timers.clear();
    this.#options.onChoice(name);
  }

  /** The next transport, if the one in use is blocked and the service can be reached all the same. */
  #stepDown(from: TransportName): void {
    const { order, active, isOn } = this.#options;
    const next = order[order.indexOf(from) + 1];
    if (active() !== from || !isOn() || next === undefined) return;
    this.#probes = 0;
    this.#reached = false;
    this.#choose(next, `${from}_blocked`);
  }

  /** An answer over HTTP is worth one more attempt at once: the service may just have come back. */
  async #verify(): Promise<void> {
    const { reach, isOn, active, hurry } = this.#options;
    if (!(await reach.ask()) || !isOn() || active() !== 'websocket') return;
    this.#reached = true;
    hurry();
  }

  async #greetingIsSlow(): Promise<void> {
    if ((await this.#options.reach.ask()) && this.#options.isDialling()) this.#stepDown('websocket');
  }

  async #probeStreams(): Promise<void> {
    const { order, active, isOn, tryStream } = this.#options;
    const works = await tryStream();
    if (!isOn() || active() !== 'polling') return;
    if (works) {
      this.#choose('sse', order[0] === 'websocket' ? 'websocket_blocked' : undefined);
    } else {
      this.#probes += 1;
      this.lookForBetter();
    }
  }

  #probeDelay(): number {
    const { timing, random } = this.#options;
    const ceiling = Math.min(timing.probeMaxMs, timing.probeMinMs * 2 ** Math.min(this.#probes, 10));
    return Math.round(ceiling * (0.75 + 0.25 * random()));
  }
}
