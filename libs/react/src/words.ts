import type { NoForecast, Progress } from './progress.ts';
import type { RunState, RunStatus, ToolState, ToolStatus } from './types.ts';

/** English for what a run's state says. Whoever needs other words renders the state itself. */
export const RUN_WORDS: Readonly<Record<RunStatus, string>> = {
  accepted: 'Accepted',
  running: 'Running',
  paused: 'Paused',
  cancelling: 'Cancelling',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
};
export const TOOL_WORDS: Readonly<Record<ToolStatus, string>> = {
  pending: 'Waiting',
  queued: 'Queued',
  running: 'Running',
  awaiting_approval: 'Waiting for approval',
  retrying: 'Trying again',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
  skipped: 'Skipped',
  denied: 'Denied',
};
const NO_FORECAST_WORDS: Readonly<Record<NoForecast, string>> = {
  not_started: '',
  paused: '',
  cancelling: '',
  approval: 'waiting for an approval',
  overdue: 'taking longer than expected',
};

/** `0.4 s`, `12 s`, `3 min 20 s`, `1 h 5 min`. */
export function duration(ms: number): string {
  const s = ms / 1000;
  if (s < 9.95) return `${s.toFixed(1)} s`;
  const whole = Math.round(s);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** An estimate said no more precisely than it is. */
export function about(ms: number): string {
  const s = ms / 1000;
  if (s < 1) return 'about a second left';
  const rounded = s < 10 ? Math.round(s) : s < 120 ? Math.round(s / 5) * 5 : Math.round(s / 60) * 60;
  return `about ${duration(rounded * 1000).replace('.0', '')} left`;
}

/** `2 of 5 calls done, 1 failed, about 10 s left`. */
export function progressText({ total, done, failed, remaining_ms, no_forecast }: Progress): string {
  const rest = remaining_ms !== undefined ? about(remaining_ms) : no_forecast ? NO_FORECAST_WORDS[no_forecast] : '';
  const parts = [
    `${done} of ${total} ${total === 1 ? 'call' : 'calls'} done`,
    failed > 0 ? `${failed} failed` : '',
    rest,
  ];
  return parts.filter(Boolean).join(', ');
}

/** What a call is doing, or how it ended. */
export function toolText({ status, progress, error, skip_reason, approval }: ToolState): string {
  switch (status) {
    case 'running':
      return progress?.message ?? progress?.stage ?? '';
    case 'failed':
    case 'retrying':
      return error?.message ?? '';
    case 'skipped':
      return skip_reason ?? '';
    case 'awaiting_approval':
      return approval?.request?.message ?? '';
    default:
      return '';
  }
}

/** What a call wants of the person who watches, or has to tell them at once. */
export function alertOf(tool: ToolState, run: RunState): string | undefined {
  const which = run.tools.length > 1 ? `Call ${tool.index + 1}, ${tool.name},` : tool.name;
  if (tool.status === 'awaiting_approval') return `${which} asks for approval. ${toolText(tool)}`.trim();
  if (tool.status === 'failed') return `${which} failed. ${toolText(tool)}`.trim();
  return undefined;
}
