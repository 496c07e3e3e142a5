import { type Effect, effectId } from '@toolstream/domain';
import { asError, type Logger } from '@toolstream/service-kit';
import type { MessageLinks, RunLog, Signal } from '../ports.ts';
import type { LiveRun, Performed } from './live-run.ts';

/** A job or timer this old is published again by a sweep, in case its stream lost it. Five duplicate windows. */
const TRUSTED_MS = 10 * 60_000;

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
    this.#perform(run, effect, 0)?.catch((error: unknown) => {
      this.#logger.warn({ error: asError(error), run: run.id, effect: effectId(effect) }, 'an effect failed');
    });
  }

  /** Resolves once the effect is stored, by this call or an earlier one. */
  async settled(run: LiveRun, effect: Effect): Promise<void> {
    await this.#perform(run, effect, 0);
  }

  /** As {@link settled}, but what was performed long ago is performed again. */
  async renewed(run: LiveRun, effect: Effect): Promise<void> {
    await this.#perform(run, effect, Date.now() - TRUSTED_MS);
  }

  #perform(run: LiveRun, effect: Effect, notBefore: number): Promise<void> | undefined {
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
    performed.pending = this.#publish(effect).then(
      (seq) => {
        performed.pending = undefined;
        performed.seq = seq;
        this.#counts.performed(effect.type);
      },
      (error: unknown) => {
        if (run.effects.get(id) === performed) run.effects.delete(id);
        throw error;
      },
    );
    run.effects.set(id, performed);
    return performed.pending;
  }

  /** Resolves to the place in its stream of what is published. */
  async #publish(effect: Exclude<Effect, { type: 'signal' }>): Promise<number | undefined> {
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
