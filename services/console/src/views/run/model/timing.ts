import type { RunState, ToolState } from '@toolstream/proto-events';
import { duration } from '../../../format/index.ts';

const at = (instant: string): number => Date.parse(instant);

/** Milliseconds of the present attempt, or of the last one; a run's pause is time like any other here. */
export function attemptMs(
  tool: Pick<ToolState, 'started_at' | 'ended_at' | 'metrics' | 'status'>,
  now: number,
): number | undefined {
  if (tool.ended_at !== undefined && tool.metrics?.duration_ms !== undefined) return tool.metrics.duration_ms;
  if (tool.started_at === undefined) return undefined;
  if (tool.ended_at !== undefined) return Math.max(0, at(tool.ended_at) - at(tool.started_at));
  return tool.status === 'running' ? Math.max(0, now - at(tool.started_at)) : undefined;
}

export function queueMs(tool: Pick<ToolState, 'status' | 'queued_at' | 'metrics'>, now: number): number | undefined {
  if (tool.status === 'queued' && tool.queued_at !== undefined) return Math.max(0, now - at(tool.queued_at));
  return tool.metrics?.queue_ms;
}

/** Longer than this share over its estimate is worth saying. */
const WORTH_SAYING = 1.25;
const LEAST_MS = 1_000;

/** `1.2 s, usually 3 s`; with a word where it takes clearly longer than expected. */
export function againstEstimate(ms: number, estimateMs: number): { readonly text: string; readonly over: boolean } {
  const over = ms > estimateMs * WORTH_SAYING && ms - estimateMs > LEAST_MS;
  return { text: `${duration(ms)}, usually ${duration(estimateMs)}`, over };
}

/** Milliseconds since the run began, to its end if it has one; pauses are not counted. */
export function runMs(run: RunState, now: number): number | undefined {
  if (run.started_at === undefined) return undefined;
  const end = at(run.ended_at ?? run.paused_at ?? new Date(now).toISOString());
  return Math.max(0, end - at(run.started_at) - run.paused_ms);
}
