import { isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';

/** The document's names where it has any. Nothing that was not measured is in it. */
export function metricsOf({ metrics = {} }: ToolState): { [key: string]: number } {
  const { duration_ms, queue_ms, memory_peak_bytes, api_calls, ...counts } = metrics;
  const named = {
    execution_time: duration_ms === undefined ? undefined : seconds(duration_ms),
    queue_time: queue_ms === undefined ? undefined : seconds(queue_ms),
    memory_used: memory_peak_bytes,
    api_calls_made: api_calls,
    ...counts,
  };
  return Object.fromEntries(Object.entries(named).filter((entry): entry is [string, number] => entry[1] !== undefined));
}

/** What the attempt measured itself, else what its events show; 0 for a call that never ran. */
export function executionMs({ metrics, started_at, ended_at }: ToolState): number {
  if (metrics?.duration_ms !== undefined) return metrics.duration_ms;
  return started_at === undefined || ended_at === undefined
    ? 0
    : Math.max(0, Date.parse(ended_at) - Date.parse(started_at));
}

export const queueSize = (run: RunState): number => run.tools.filter((tool) => !isToolEnded(tool.status)).length;

/** By the plan's estimates: the longest chain of calls that have not ended. */
export function remainingMs({ ordering, tools }: RunState): number {
  const left = tools.map((tool) => (isToolEnded(tool.status) ? 0 : tool.estimated_duration_ms));
  if (ordering === 'sequential') return left.reduce((sum, ms) => sum + ms, 0);
  const until = new Map<number, number>();
  const endOf = (index: number): number => {
    const known = until.get(index);
    if (known !== undefined) return known;
    const before = Math.max(0, ...(tools[index]?.depends_on ?? []).map(endOf));
    const end = before + (left[index] ?? 0);
    until.set(index, end);
    return end;
  };
  return Math.max(0, ...tools.map(({ index }) => endOf(index)));
}

export const seconds = (ms: number): number => Math.round(ms) / 1000;
