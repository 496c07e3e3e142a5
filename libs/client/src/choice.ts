import type { Loss } from './connection.ts';
import { Health } from './health.ts';
import { probeDelay } from './probe.ts';
import { Timers } from './timers.ts';
import type { Timing } from './timing.ts';

export interface ChoiceOptions {
  readonly timing: Timing;
  /** Whether there is anything else. */
  readonly mayStepDown: boolean;
  random(): number;
  /** Whether anything is to be carried at all. */
  isOn(): boolean;
  /** Whether the socket is what carries. */
  isOnSocket(): boolean;
  /** Whether the socket still waits to be greeted. */
  isDialling(): boolean;
  /** The socket need not wait for its next attempt. */
  hurry(): void;
  /** Whether requests get through, and the client is ready to make do with them. */
  reach(): Promise<boolean>;
  onBlocked(): void;
  /** The socket works again. */
  onHeld(): void;
}

/**
 * Whether the socket is to carry: until it turns out to be blocked while the service does answer over HTTP. It is tried in the
 * background then, until it holds.
 */
export class Choice {
  readonly #options: ChoiceOptions;
  readonly #timers = new Timers<'slow' | 'hold'>();
  readonly #health = new Health();
  /** Failed attempts in the background. */
  #probes = 0;
  #dials = 0;
  /** HTTP got through since the socket last held. */
  #reached = false;

  constructor(options: ChoiceOptions) {
    this.#options = options;
  }

  /** The least time between attempts of the socket, which tries itself: none while it is what carries. */
  leastDelay(): number {
    const { isOnSocket, timing, random } = this.#options;
    return isOnSocket() ? 0 : probeDelay(timing, this.#probes, random());
  }

  stop(): void {
    this.#timers.clear();
  }

  dialled(): void {
    const { isOnSocket, timing } = this.#options;
    this.#dials += 1;
    if (isOnSocket()) this.#timers.set('slow', timing.slowGreetingMs, () => void this.#greetingIsSlow());
  }

  opened(): void {
    const { isOnSocket, timing, onHeld } = this.#options;
    this.#timers.stop('slow');
    if (isOnSocket()) return;
    this.#timers.set('hold', timing.holdMs, () => {
      this.#health.doubtful();
      onHeld();
    });
  }

  lost({ byService, lastedMs }: Loss): void {
    const { isOnSocket, timing } = this.#options;
    this.#timers.clear();
    if (!isOnSocket()) {
      this.#probes += 1;
    } else if (byService || (lastedMs ?? 0) >= timing.steadyMs) {
      this.#health.held();
      this.#reached = false;
      this.#probes = 0;
    } else {
      this.#health.failed(lastedMs === undefined ? 'unopened' : 'short');
      if (!this.#health.blocked) return;
      if (this.#reached) this.#stepDown();
      else void this.#verify();
    }
  }

  /** The service was away for everybody and is back: that says nothing of what was blocked before. */
  returned(): void {
    this.#probes = 0;
    this.#options.hurry();
  }

  #stepDown(): void {
    const { mayStepDown, isOn, isOnSocket, onBlocked } = this.#options;
    if (!mayStepDown || !isOn() || !isOnSocket()) return;
    this.#probes = 0;
    this.#reached = false;
    this.#timers.clear();
    onBlocked();
  }

  /** An answer over HTTP is worth one more attempt at once: the service may just have come back. */
  async #verify(): Promise<void> {
    const { reach, isOn, isOnSocket, hurry } = this.#options;
    if (!(await reach()) || !isOn() || !isOnSocket()) return;
    this.#reached = true;
    hurry();
  }

  /** What is found out meanwhile says nothing of another attempt. */
  async #greetingIsSlow(): Promise<void> {
    const { reach, isDialling } = this.#options;
    const dial = this.#dials;
    if ((await reach()) && dial === this.#dials && isDialling()) this.#stepDown();
  }
}
