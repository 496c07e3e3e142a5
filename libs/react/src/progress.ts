import { forecast } from './forecast.ts';
import { activeSince, instant } from './time.ts';
import { hasRunEnded, hasToolEnded, type RunState, type ToolState } from './types.ts';

/** Why nobody can say how long a run will still take. */
export type NoForecast = 'not_started' | 'paused' | 'approval' | 'cancelling' | 'overdue';

export interface Progress {
  readonly total: number;
  /** Calls that are over, whatever their end. */
  readonly done: number;
  readonly failed: number;
  readonly running: number;
  readonly awaiting_approval: number;
  /**
   * Share of the calls that is over, with what running calls have measured of themselves. A call that measures nothing counts
   * when it ends. Absent until anything was measured or ended: then nobody knows.
   */
  readonly percent?: number;
  /** Time the run has been going, pauses outside. Absent before it starts. */
  readonly elapsed_ms?: number;
  /** An estimate, from the calls' estimates and what calls of this run have taken so far. */
  readonly remaining_ms?: number;
  /** Set where there is no estimate and the run is not over. */
  readonly no_forecast?: NoForecast;
}

/** How far a run is at `now`, a moment of the service's clock in milliseconds since the epoch. */
export function progressOf(run: RunState, now: number): Progress {
  const counts = { total: run.tools.length, done: 0, failed: 0, running: 0, awaiting_approval: 0 };
  let measured = 0;
  let known = false;
  for (const { status, measured: part, attempt } of run.tools) {
    if (hasToolEnded(status)) counts.done++;
    if (status === 'failed') counts.failed++;
    if (status === 'awaiting_approval') counts.awaiting_approval++;
    if (status !== 'running') continue;
    counts.running++;
    if (part === undefined || attempt === 0) continue;
    known = true;
    measured += part / 100;
  }
  const percent = known || counts.done > 0 ? { percent: (100 * (counts.done + measured)) / counts.total } : {};
  const elapsed = elapsedOf(run, now);
  return { ...counts, ...percent, ...(elapsed === undefined ? {} : { elapsed_ms: elapsed }), ...forecastOf(run, now) };
}

/** How far one call is: measured by its attempt, or 100 when it has succeeded; `undefined` where nobody knows. */
export function percentOf({ status, progress, measured }: ToolState): number | undefined {
  if (status === 'succeeded') return 100;
  return status === 'running' ? (progress?.progress ?? measured) : undefined;
}

/** Time that a call's current or last attempt has taken, or took. */
export function durationOf({ status, started_at, ended_at, metrics }: ToolState, now: number): number | undefined {
  if (hasToolEnded(status) && metrics?.duration_ms !== undefined) return metrics.duration_ms;
  if (started_at === undefined || (status !== 'running' && ended_at === undefined)) return undefined;
  return Math.max(0, (ended_at === undefined ? now : instant(ended_at)) - instant(started_at));
}

function elapsedOf(run: RunState, now: number): number | undefined {
  if (run.started_at === undefined) return undefined;
  return activeSince(run, run.ended_at === undefined ? now : instant(run.ended_at));
}

function forecastOf(run: RunState, now: number): Pick<Progress, 'remaining_ms' | 'no_forecast'> {
  if (hasRunEnded(run.status)) return {};
  if (run.status === 'cancelling') return { no_forecast: 'cancelling' };
  if (run.status === 'paused') return { no_forecast: 'paused' };
  if (run.status === 'accepted') return { no_forecast: 'not_started' };
  if (run.tools.some(({ status }) => status === 'awaiting_approval')) return { no_forecast: 'approval' };
  const remaining = forecast(run, now);
  return remaining === undefined ? { no_forecast: 'overdue' } : { remaining_ms: Math.round(remaining) };
}
