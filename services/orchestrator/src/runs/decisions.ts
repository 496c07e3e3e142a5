import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, type Decision, type Draft, decide, react, toEvent } from '@toolstream/domain';
import { isConflict } from '@toolstream/event-log';
import { partitionOfRun, type RunState, runSubject, type ToolstreamEvent } from '@toolstream/proto-events';
import type { Present, RunLog } from '../ports.ts';
import type { CatchUp } from './catch-up.ts';
import type { Effects } from './effects.ts';
import type { LiveRun } from './live-run.ts';

/** Decisions in a row that the log refused before this one is given up. */
const MOST_CONFLICTS = 10;
const LONGEST_PAUSE_MS = 200;

export type Outcome =
  /** `seq`: the event that had already made it so, else the first one appended. */
  | { readonly kind: 'done'; readonly seq: number | undefined }
  | { readonly kind: 'rejected'; readonly rejection: Extract<Decision, { ok: false }>['rejection'] }
  /** There is no such run in the log. */
  | { readonly kind: 'unknown' }
  /** Others kept winning; nothing of this decision is in the log. */
  | { readonly kind: 'busy' }
  /** Stopped before its end, as its options ask: for a command that waits, or because another orchestrator is at it. */
  | { readonly kind: 'left'; readonly to: 'command' | 'other' };

export interface CarryOutOptions {
  /** Gives way to commands that wait for this run. */
  readonly yields?: boolean;
  /** Stops when another orchestrator writes to this run: what is left is then its own or the reactor's. */
  readonly leavesToOthers?: boolean;
}

export interface DecisionCounts {
  conflict(): void;
}

/**
 * Carries out what the core decides: appends the events in order, each behind its fence, and begins the effects of each.
 * A conflict is answered by reading the run from the leader and deciding again. Called with the run's lock held.
 */
export class Decisions {
  readonly #log: RunLog;
  readonly #effects: Effects;
  readonly #catchUp: CatchUp;
  readonly #present: Present;
  readonly #counts: DecisionCounts;

  constructor(log: RunLog, effects: Effects, catchUp: CatchUp, present: Present, counts: DecisionCounts) {
    this.#log = log;
    this.#effects = effects;
    this.#catchUp = catchUp;
    this.#present = present;
    this.#counts = counts;
  }

  /** What the core would append now, without appending it. */
  isDue(state: RunState): boolean {
    const decision = decide({ type: 'advance' }, state, this.#now());
    return decision.ok && decision.drafts.length > 0;
  }

  async carryOut(run: LiveRun, command: Command, options: CarryOutOptions = {}): Promise<Outcome> {
    let first: number | undefined;
    for (let conflicts = 0; ; ) {
      const view = run.view;
      if (!view || !run.address) return { kind: 'unknown' };
      const decision = decide(command, view, this.#now());
      if (!decision.ok) return { kind: 'rejected', rejection: decision.rejection };
      try {
        for (const draft of decision.drafts) {
          if (options.yields && run.lock.commandWaits) return { kind: 'left', to: 'command' };
          const seq = await this.#append(run, draft);
          first ??= seq;
          conflicts = 0;
        }
        return { kind: 'done', seq: decision.seq ?? first };
      } catch (error) {
        if (!isConflict(error)) throw error;
        this.#counts.conflict();
        conflicts++;
        const onRun = error.subject === runSubject(run.address);
        if (onRun && options.leavesToOthers) return { kind: 'left', to: 'other' };
        if (conflicts >= MOST_CONFLICTS) return first === undefined ? { kind: 'busy' } : { kind: 'done', seq: first };
        if (conflicts > 1) await sleep(Math.min(LONGEST_PAUSE_MS, 2 ** conflicts) * (0.5 + this.#present.random()));
        // A second conflict in a row on a view that was just read: the memory itself may contradict the log.
        await this.#catchUp.read(run, run.address, conflicts > 1 ? { anew: true } : { through: error.actual });
      }
    }
  }

  /** The state that the drafts were decided on is the run's view: nothing else changes it while the lock is held. */
  async #append(run: LiveRun, draft: Draft): Promise<number> {
    const view = run.view;
    const address = run.address;
    if (!view || !address) throw new Error(`nothing is known of run ${run.id}`);
    const expected = draft.writer === 'run' ? view.run_seq : (view.tools[draft.writer]?.tool_seq ?? 0);
    const event = toEvent(draft, view, {
      id: this.#present.eventId(),
      source: this.#present.source,
      at: this.#present.now(),
      traceparent: view.traceparent,
    });
    const seq = await this.#log.append({ run: address, event, expected });
    this.recorded(run, event, seq);
    return seq;
  }

  /** Takes in an event that this process has appended and begins its effects. */
  recorded(run: LiveRun, event: ToolstreamEvent, seq: number): void {
    const effects = run.appended({ event, seq }, (after) => react(after, event));
    for (const effect of effects) this.#effects.begin(run, effect);
  }

  #now(): { at: string; random: number } {
    return { at: this.#present.now(), random: this.#present.random() };
  }
}

export const partitionOf = (run: string): number => partitionOfRun(run) ?? 0;
