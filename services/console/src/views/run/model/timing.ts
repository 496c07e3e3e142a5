import type { ToolState } from '@toolstream/proto-events';
import { duration } from '../../../format/index.ts';

export function queueMs(tool: Pick<ToolState, 'status' | 'queued_at' | 'metrics'>, now: number): number | undefined {
  if (tool.status === 'queued' && tool.queued_at !== undefined) return Math.max(0, now - Date.parse(tool.queued_at));
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
