import type { RunState, RunSummary, ToolMetrics, ToolStatus } from '@toolstream/proto-events';
import { between } from './time.ts';

/** What a run's end says of it. `duration_ms` is wall time from its start to `at`. */
export function summarise(state: RunState, at: string): RunSummary {
  const count = (...statuses: ToolStatus[]): number =>
    state.tools.filter((tool) => statuses.includes(tool.status)).length;
  const sum = (metric: keyof ToolMetrics): number =>
    state.tools.reduce((total, tool) => total + (tool.status === 'succeeded' ? (tool.metrics?.[metric] ?? 0) : 0), 0);
  return {
    total: state.tools.length,
    successful: count('succeeded'),
    failed: count('failed', 'denied'),
    cancelled: count('cancelled'),
    skipped: count('skipped'),
    duration_ms: between(state.started_at ?? state.accepted_at, at),
    files_created: sum('files_created'),
    lines_written: sum('lines_written'),
  };
}
