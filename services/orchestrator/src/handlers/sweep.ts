import { setTimeout as sleep } from 'node:timers/promises';
import { outstanding } from '@toolstream/domain';
import type { RunAddress } from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { CatchUp } from '../runs/catch-up.ts';
import type { Decisions } from '../runs/decisions.ts';
import type { Effects } from '../runs/effects.ts';
import type { LiveRun } from '../runs/live-run.ts';
import type { LiveRuns } from '../runs/live-runs.ts';

/** A run that had not ended when the projection last saw it, and the position of that. */
export interface LiveRow extends RunAddress {
  readonly seq: number;
}

export interface SweepParts {
  readonly runs: LiveRuns;
  readonly catchUp: CatchUp;
  readonly decisions: Decisions;
  readonly effects: Effects;
  /** Rejects while the projection does not answer. */
  readonly liveRows: () => AsyncIterable<LiveRow>;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Runs per second that are read from the log. */
  readonly rate: number;
}

/** The first sweep is tried this often until the projection answers. */
const FIRST_TRY_MS = 2_000;

/**
 * Looks at every live run again, whatever the events say: what is due is appended, and what the run still waits for is
 * published again. It repairs what a lost stream, a lost timer or a fault of this service left undone.
 */
export class Sweep {
  readonly #parts: SweepParts;
  readonly #stopping = new AbortController();
  #running: Promise<void> | undefined;

  constructor(parts: SweepParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running ??= this.#sweepOn();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
  }

  async #sweepOn(): Promise<void> {
    const { intervalMs } = this.#parts;
    let complete = false;
    while (!this.#stopping.signal.aborted) {
      complete = (await this.sweep()) || complete;
      const wait = complete ? intervalMs * (0.9 + Math.random() / 5) : Math.min(FIRST_TRY_MS, intervalMs);
      await sleep(wait, undefined, { signal: this.#stopping.signal, ref: false }).catch(() => {});
    }
  }

  /** Returns whether all live runs were looked at; without the projection only those in memory are. */
  async sweep(): Promise<boolean> {
    const seen = new Set<string>();
    let complete = true;
    try {
      for await (const row of this.#parts.liveRows()) {
        if (this.#stopping.signal.aborted) return false;
        seen.add(row.run);
        await this.#lookAt(row.run, row);
      }
    } catch (error) {
      complete = false;
      const { message } = asError(error);
      this.#parts.logger.info({ reason: message }, 'the projection does not answer: only runs in memory are swept');
    }
    for (const id of this.#parts.runs.fed()) {
      if (this.#stopping.signal.aborted) return false;
      if (!seen.has(id)) await this.#lookAt(id, undefined);
    }
    return complete;
  }

  /** One run's failure is the next sweep's. */
  async #lookAt(id: string, row: LiveRow | undefined): Promise<void> {
    const began = performance.now();
    let read = false;
    try {
      await this.#parts.runs.with(id, async (run) => {
        read = await this.#bringUp(run, row);
        await this.#renew(run);
      });
    } catch (error) {
      this.#parts.logger.warn(
        { error: asError(error), run: id },
        'a run could not be swept, the next sweep tries again',
      );
    }
    const rest = 1_000 / this.#parts.rate - (performance.now() - began);
    if (read && rest > 0) await sleep(rest);
  }

  /** A run in memory that is as new as the projection's row is taken as it is. */
  async #bringUp(run: LiveRun, row: LiveRow | undefined): Promise<boolean> {
    if (!row || (run.base && run.base.seq >= row.seq)) return false;
    const { tenant, app } = row;
    await this.#parts.catchUp.read(run, { tenant, app, run: run.id });
    return true;
  }

  async #renew(run: LiveRun): Promise<void> {
    const { decisions, effects } = this.#parts;
    await decisions.carryOut(run, { type: 'advance' }, { leavesToOthers: true });
    const { view } = run;
    if (view) for (const effect of outstanding(view)) await effects.renewed(run, effect);
  }
}
