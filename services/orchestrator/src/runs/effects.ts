import { setTimeout as sleep } from 'node:timers/promises';
import { type Effect, effectId, isOutstanding } from '@toolstream/domain';
import { asError, type Logger } from '@toolstream/service-kit';
import type { MessageLinks, RunLog, Signal } from '../ports.ts';
import type { LiveRun, Performed } from './live-run.ts';

/** A job or timer this old is published again by a sweep, in case its stream lost it. Five duplicate windows. */
const TRUSTED_MS = 10 * 60_000;
/** A timer this far ahead is not set at once: the run of a quick call ends before, and needs none then. */
const FAR_MS = 2_000;
const LATER_MS = 50;

type Stored = Exclude<Effect, { type: 'signal' }>;

export interface EffectCounts {
  performed(type: Effect['type']): void;
}

/**
 * Publishes jobs, timers and signals, and writes links. All are deterministic, so repeating one is harmless; this process
 * repeats none that it knows to be stored.
 */
export class Effects {
  readonly #log: RunLog;
  readonly #links: MessageLinks;
  readonly #signal: Signal;
  readonly #logger: Logger;
  readonly #counts: EffectCounts;

  constructor(log: RunLog, links: MessageLinks, signal: Signal, logger: Logger, counts: EffectCounts) {
    this.#log = log;
    this.#links = links;
    this.#signal = signal;
    this.#logger = logger;
    this.#counts = counts;
  }

  /** Begins, unless this process has performed it or is at it. A failure is logged and left to {@link settled}. */
  begin(run: LiveRun, effect: Effect): void {
    this.#perform(run, effect)?.catch((error: unknown) => {
      this.#logger.warn({ error: asError(error), run: run.id, effect: effectId(effect) }, 'an effect failed');
    });
  }

  /** Resolves once the effect is stored, by this call or an earlier one, or the run's end has made it pointless. */
  async settled(run: LiveRun, effect: Effect): Promise<void> {
    await this.#perform(run, effect);
  }

  /** As {@link settled}, but at once, and what was performed long ago is performed again. */
  async renewed(run: LiveRun, effect: Effect): Promise<void> {
    await this.#perform(run, effect, { notBefore: Date.now() - TRUSTED_MS, atOnce: true });
  }

  #perform(run: LiveRun, effect: Effect, { notBefore = 0, atOnce = false } = {}): Promise<void> | undefined {
    const id = effectId(effect);
    if (effect.type === 'signal' || id === undefined) {
      if (effect.type === 'signal') this.#signal(effect.tenant, effect.run);
      this.#counts.performed(effect.type);
      return undefined;
    }
    const known = run.effects.get(id);
    if (known?.pending !== undefined) return known.pending;
    if (known && known.at >= notBefore) return undefined;
    const performed: Performed = { at: Date.now() };
    performed.pending = this.#carryOut(run, effect, performed, !atOnce && isFarTimer(effect)).then(
      () => {
        performed.pending = undefined;
      },
      (error: unknown) => {
        if (run.effects.get(id) === performed) run.effects.delete(id);
        throw error;
      },
    );
    run.effects.set(id, performed);
    return performed.pending;
  }

  async #carryOut(run: LiveRun, effect: Stored, performed: Performed, later: boolean): Promise<void> {
    if (later) {
      await sleep(LATER_MS);
      if (run.view && !isOutstanding(run.view, effect)) {
        performed.withheld = true;
        return;
      }
    }
    performed.seq = await this.#publish(effect);
    this.#counts.performed(effect.type);
  }

  /** Resolves to the place in its stream of what is published. */
  async #publish(effect: Stored): Promise<number | undefined> {
    switch (effect.type) {
      case 'job':
        return (await this.#log.publishJob(effect.job)).seq;
      case 'timer':
        return (await this.#log.publishTimer(effect.timer)).seq;
      case 'link':
        await this.#links.write(effect.tenant, effect.message, effect.link);
        return undefined;
    }
  }
}

const isFarTimer = (effect: Stored): boolean =>
  effect.type === 'timer' && Date.parse(effect.timer.due_at) - Date.now() > FAR_MS;
