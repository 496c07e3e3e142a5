import { type Effect, isOutstanding, outstanding, react } from '@toolstream/domain';
import { type Delivered, LogRejectedError } from '@toolstream/event-log';
import { isRunEnded, parseEventSubject, type RunState, VOLATILE_TYPES } from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { Present, TimerStore } from '../ports.ts';
import type { CatchUp } from '../runs/catch-up.ts';
import type { Decisions } from '../runs/decisions.ts';
import type { Effects } from '../runs/effects.ts';
import type { Feeds } from '../runs/feeds.ts';
import { ForeignWork } from '../runs/foreign-work.ts';
import type { Arrived, LiveRun } from '../runs/live-run.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { BusyError } from './errors.ts';
import { Batch, continues, mayMakeDue, type Pending, type Reaction } from './reaction.ts';

export interface ReactorCounts {
  /** `lagMs`: the age of the oldest of them. */
  reacted(events: number, lagMs: number): void;
  deferred(events: number): void;
}

export interface ReactorParts {
  readonly runs: LiveRuns;
  readonly feeds: Feeds;
  readonly catchUp: CatchUp;
  readonly decisions: Decisions;
  readonly effects: Effects;
  readonly timers: TimerStore;
  readonly present: Present;
  readonly logger: Logger;
  readonly counts: ReactorCounts;
}

/** A delivery older than this comes from a backlog: whoever wrote it has finished or is dead. */
const FRESH_MS = 2_000;

/**
 * Reacts to every event: appends what it makes due and performs its effects, where nothing shows that this is done. It is
 * the guarantee behind every handler's promptness: an event is acknowledged only when nothing is left to do for it, so a
 * crash anywhere repeats a reaction and loses none.
 *
 * Deliveries of one run are handled in stream order, together with all that arrived meanwhile; runs do not wait for each
 * other. How many are in hand is bounded by the consumer.
 */
export class Reactor {
  readonly #parts: ReactorParts;
  readonly #pending = new Map<string, Pending>();

  constructor(parts: ReactorParts) {
    this.#parts = parts;
  }

  /** Takes deliveries, in the consumer's order. Resolves when they may be acknowledged, rejects when they must come again. */
  handle(messages: readonly Delivered[]): Promise<void> {
    const batch = new Batch(messages.length);
    for (const message of messages) if (!this.#take(message, batch)) batch.finished();
    return batch.done.promise;
  }

  /** False: there is nothing to do for it. */
  #take(message: Delivered, batch: Batch): boolean {
    const address = parseEventSubject(message.subject);
    if (!address) {
      this.#parts.logger.error({ subject: message.subject, seq: message.seq }, 'no subject of an event; dropped');
      return false;
    }
    const feed = this.#parts.feeds.delivered(address.partition, message.deliverySeq);
    if (VOLATILE_TYPES.has(message.type)) return false;
    const pending = this.#pendingOf(address.run);
    pending.reactions.push({ message, address, feed, batch, arrived: undefined, foreign: false });
    this.#schedule(pending);
    return true;
  }

  #pendingOf(id: string): Pending {
    let pending = this.#pending.get(id);
    if (!pending) {
      pending = {
        run: this.#parts.runs.hold(id),
        reactions: [],
        deferred: [],
        scheduled: false,
        foreign: undefined,
        timer: undefined,
      };
      this.#pending.set(id, pending);
    }
    return pending;
  }

  #schedule(pending: Pending): void {
    if (pending.scheduled) return;
    pending.scheduled = true;
    clearTimeout(pending.timer);
    void pending.run.lock.run(() => this.#reactToAll(pending)).then(() => this.#goOn(pending));
  }

  #goOn(pending: Pending): void {
    pending.scheduled = false;
    if (pending.reactions.length > 0) {
      this.#schedule(pending);
    } else if (pending.deferred.length > 0) {
      const now = performance.now();
      pending.timer = setTimeout(() => this.#schedule(pending), (pending.foreign?.nextLook(now) ?? now) - now);
    } else {
      this.#pending.delete(pending.run.id);
      this.#parts.runs.release(pending.run);
    }
  }

  /** Never rejects: each reaction learns its own fate. */
  async #reactToAll(pending: Pending): Promise<void> {
    const { run } = pending;
    const arrived = pending.reactions;
    pending.reactions = [];
    let reactions: readonly Reaction[] = arrived;
    try {
      await this.#fold(pending, arrived);
      reactions = this.#choose(pending, arrived);
      await this.#advance(run, reactions);
      const oldest = reactions[0]?.message.time;
      if (oldest !== undefined) this.#parts.counts.reacted(reactions.length, Date.now() - oldest);
      this.#perform(run, reactions);
    } catch (error) {
      // Some may not have been folded: nothing continues the base before a read.
      run.feed = 0;
      this.#failed(run, reactions, error);
    }
  }

  async #fold(pending: Pending, reactions: readonly Reaction[]): Promise<void> {
    const { run } = pending;
    const newest = reactions.reduce((max, { message }) => Math.max(max, message.seq), 0);
    for (const reaction of reactions) {
      if (reaction.arrived) continue;
      const { message, address, feed } = reaction;
      if (!continues(run, reaction)) await this.#parts.catchUp.read(run, address, { through: newest });
      if (!run.base) run.feed = feed;
      const before = run.base;
      reaction.arrived = run.delivered(message);
      reaction.foreign = this.#isForeign(message, reaction.arrived);
      if (!reaction.arrived.event) {
        this.#parts.logger.error({ run: run.id, seq: message.seq, type: message.type }, 'an event is not understood');
      }
      if (reaction.foreign) {
        const now = performance.now();
        pending.foreign ??= new ForeignWork(now);
        pending.foreign.seen(now, run.base);
      }
      if (before && !isRunEnded(before.status) && run.base && isRunEnded(run.base.status)) this.#retire(run, before);
    }
  }

  #isForeign(message: Delivered, { event, begun }: Arrived): boolean {
    if (!event || begun || message.deliveries > 1 || event.source === this.#parts.present.source) return false;
    return message.subject.endsWith('.run') && Date.now() - (message.time ?? 0) < FRESH_MS;
  }

  /** What is reacted to now; the rest is left to another orchestrator for the moment. */
  #choose(pending: Pending, arrived: readonly Reaction[]): readonly Reaction[] {
    const { run, foreign } = pending;
    const { decisions, counts } = this.#parts;
    const now = performance.now();
    if (!foreign || foreign.isOver(now) || !run.view || isRunEnded(run.view.status)) {
      pending.foreign = undefined;
      return [...pending.deferred.splice(0), ...arrived];
    }
    const all = [...pending.deferred, ...arrived];
    const disturbs = all.some(({ foreign, message }) => !foreign && mayMakeDue(message));
    const busy = disturbs && foreign.isBusy(now, (state) => decisions.isDue(state));
    const waits = ({ foreign, message }: Reaction): boolean => foreign || (busy && mayMakeDue(message));
    const before = pending.deferred.length;
    pending.deferred = all.filter(waits);
    counts.deferred(Math.max(0, pending.deferred.length - before));
    return all.filter((reaction) => !waits(reaction));
  }

  async #advance(run: LiveRun, reactions: readonly Reaction[]): Promise<void> {
    if (!run.view || !reactions.some(({ message }) => mayMakeDue(message))) return;
    const outcome = await this.#parts.decisions.carryOut(run, { type: 'advance' });
    if (outcome.kind === 'busy') throw new BusyError(run.id);
  }

  /** Begins what the events ask for; they are done with once it is stored. Nothing else of the run waits for that. */
  #perform(run: LiveRun, reactions: readonly Reaction[]): void {
    const { view } = run;
    const effects = view
      ? reactions.flatMap(({ arrived }) => effectsOf(view, arrived)).filter((effect) => isOutstanding(view, effect))
      : [];
    if (effects.length === 0) {
      finished(reactions);
      return;
    }
    const { runs } = this.#parts;
    runs.hold(run.id);
    void Promise.all(effects.map((effect) => this.#settle(run, effect)))
      .then(
        () => finished(reactions),
        (error: unknown) => this.#failed(run, reactions, error),
      )
      .finally(() => runs.release(run));
  }

  /** A job that its stream will never take would be tried for ever: its tool call ends instead. */
  async #settle(run: LiveRun, effect: Effect): Promise<void> {
    try {
      await this.#parts.effects.settled(run, effect);
    } catch (error) {
      if (!(error instanceof LogRejectedError) || effect.type !== 'job') throw error;
      const { index, dispatch } = effect.job;
      const message = `The job cannot be sent out: ${error.message}`;
      await run.lock.run(() => this.#parts.decisions.carryOut(run, { type: 'dead_letter', index, dispatch, message }));
    }
  }

  #failed(run: LiveRun, reactions: readonly Reaction[], error: unknown): void {
    this.#parts.logger.warn({ error: asError(error), run: run.id }, 'a reaction failed, it comes again');
    for (const { batch } of reactions) batch.finished({ error });
  }

  /** Timers that lie far ahead would wait for days, one or two for each run that ever was. */
  #retire(run: LiveRun, before: RunState): void {
    for (const effect of outstanding(before)) if (effect.type === 'timer') void this.#retireTimer(run, effect.timer.id);
  }

  async #retireTimer(run: LiveRun, id: string): Promise<void> {
    const performed = run.effects.get(id);
    await performed?.pending?.catch(() => {});
    if (performed?.withheld) return;
    this.#parts.timers.retire(id, performed?.seq);
  }
}

function finished(reactions: readonly Reaction[]): void {
  for (const { batch } of reactions) batch.finished();
}

/** Signals of an own event were sent right after its append, and are not repeated. */
function effectsOf(view: RunState, arrived: Arrived | undefined): readonly Effect[] {
  if (arrived?.begun) return arrived.begun.filter(({ type }) => type !== 'signal');
  return arrived?.event ? react(view, arrived.event) : [];
}
