import type { Delivered } from '@toolstream/event-log';
import { RUN_END_TYPES, runSubject, type Timer, timer } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import type { RunLog } from '../ports.ts';
import type { CatchUp } from '../runs/catch-up.ts';
import { type Decisions, partitionOf } from '../runs/decisions.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { BusyError } from './errors.ts';

export interface TimerParts {
  readonly log: RunLog;
  readonly runs: LiveRuns;
  readonly decisions: Decisions;
  readonly catchUp: CatchUp;
  readonly logger: Logger;
}

/**
 * Fired timers: commands that the state may refuse. Decided on what the leader has, because a timer can be faster than the
 * events that set it; acknowledged once everything that was due is in the log.
 */
export class Timers {
  readonly #parts: TimerParts;

  constructor(parts: TimerParts) {
    this.#parts = parts;
  }

  async handle(message: Delivered): Promise<void> {
    const fired = parsed(message);
    if (!fired || partitionOf(fired.run) >= this.#parts.log.partitions) {
      this.#parts.logger.error(
        { seq: message.seq, subject: message.subject },
        'a fired timer is not understood; dropped',
      );
      return;
    }
    await this.#parts.runs.with(fired.run, async (run) => {
      const address = { tenant: fired.tenant, app: fired.app, run: fired.run };
      if (!run.view && (await this.#hasEnded(address))) return;
      await this.#parts.catchUp.read(run, address);
      const outcome = await this.#parts.decisions.carryOut(run, { type: 'timer', timer: fired });
      if (outcome.kind === 'busy') throw new BusyError(fired.run);
    });
  }

  /** Most late timers belong to runs that ended long ago: their last event says so, without reading them. */
  async #hasEnded(address: { tenant: string; app: string; run: string }): Promise<boolean> {
    const last = await this.#parts.log.lastOf(runSubject(address), { leader: true });
    return last === undefined || RUN_END_TYPES.has(last.type);
  }
}

function parsed(message: Delivered): Timer | undefined {
  try {
    return timer.parse(JSON.parse(message.text()));
  } catch {
    return undefined;
  }
}
