import { summarise } from '@toolstream/domain';
import type { RunState, ToolProgress, ToolState } from '@toolstream/proto-events';
import { executionMs, metricsOf, queueSize, remainingMs, seconds } from './figures.ts';

/** A message of the channel. Durations are in seconds; numbers are measured or come from the plan. */
export type CableMessage = { readonly action: string } & { readonly [key: string]: unknown };

/** What every message says beside its own: which run, and of which message and app. */
function about(run: RunState): { run_id: string; app_id: string; message_id?: string } {
  const { run_id, app, message_id } = run;
  return { run_id, app_id: app, ...(message_id === undefined ? {} : { message_id }) };
}

export function queueInitialized(run: RunState): CableMessage {
  return {
    action: 'tool_queue_initialized',
    queue_size: queueSize(run),
    estimated_duration: seconds(remainingMs(run)),
    ...about(run),
  };
}

/** Of all live runs of an app together, or of those in one partition of the log. */
export function queueOfApp(app: string, runs: readonly RunState[], partition: number | undefined): CableMessage {
  return {
    action: 'tool_queue_initialized',
    queue_size: runs.reduce((sum, run) => sum + queueSize(run), 0),
    estimated_duration: seconds(Math.max(0, ...runs.map(remainingMs))),
    app_id: app,
    ...(partition === undefined ? {} : { partition }),
  };
}

/** Of a message that has no run yet. */
export const emptyQueue = (message_id: string): CableMessage => ({
  action: 'tool_queue_initialized',
  queue_size: 0,
  estimated_duration: 0,
  message_id,
});

export function executionStarted(run: RunState): CableMessage {
  const tools = run.tools.map(({ index, call_id, name, description, estimated_duration_ms }) => ({
    index,
    call_id,
    name,
    description,
    estimated_duration: seconds(estimated_duration_ms),
  }));
  return { action: 'tool_execution_started', tools, timestamp: run.started_at ?? run.accepted_at, ...about(run) };
}

export function starting(run: RunState, tool: ToolState): CableMessage {
  return {
    ...statusUpdate(run, tool, 'starting', tool.started_at),
    description: tool.description,
    estimated_duration: seconds(tool.estimated_duration_ms),
  };
}

/** A call that is neither running nor ended, and not simply waiting for its turn. */
export const waiting = (run: RunState, tool: ToolState): CableMessage => ({
  ...statusUpdate(run, tool, tool.status === 'awaiting_approval' ? tool.status : 'retrying', undefined),
  ...(tool.error === undefined ? {} : { error: tool.error }),
});

export function progressed(run: RunState, tool: ToolState, progress: ToolProgress): CableMessage {
  return {
    action: 'tool_progress_update',
    tool_index: tool.index,
    stage: progress.stage,
    message: progress.message ?? progress.stage,
    progress: progress.progress ?? tool.measured ?? 0,
    ...(progress.details === undefined ? {} : { details: progress.details }),
    timestamp: progress.at,
    ...about(run),
  };
}

/** The last progress message of a success: the tool's own, if that says so already. */
export function completed(run: RunState, tool: ToolState): CableMessage {
  const { progress } = tool;
  if (progress && saysComplete(progress)) return progressed(run, tool, progress);
  const at = tool.ended_at ?? run.accepted_at;
  const details = metricsOf(tool);
  const measured = Object.keys(details).length === 0 ? {} : { details };
  return progressed(run, tool, { stage: 'complete', message: 'Complete', progress: 100, ...measured, at });
}

export const saysComplete = ({ stage, progress }: ToolProgress): boolean => stage === 'complete' && progress === 100;

export function ended(run: RunState, tool: ToolState): CableMessage {
  return {
    ...statusUpdate(run, tool, 'complete', tool.ended_at),
    success: tool.status === 'succeeded',
    outcome: tool.status,
    execution_time: seconds(executionMs(tool)),
    metrics: metricsOf(tool),
    ...(tool.result === undefined ? {} : { result: tool.result }),
    ...(tool.error === undefined || tool.status === 'succeeded' ? {} : { error: tool.error }),
    ...(tool.skip_reason === undefined ? {} : { reason: tool.skip_reason }),
  };
}

export function executionPaused(run: RunState): CableMessage {
  const message = 'Tool execution paused by user';
  return { action: 'execution_paused', message, ...stamped(run.paused_at), ...about(run) };
}

export const executionResumed = (run: RunState): CableMessage => ({
  action: 'execution_resumed',
  message: 'Tool execution resumed',
  ...about(run),
});

const CANCEL_WORDS = {
  command: 'Tool execution cancelled by user',
  run_timeout: 'Tool execution cancelled: it ran longer than it may',
  run_expired: 'Tool execution cancelled: it is too old',
} as const;

export function executionCancelled(run: RunState): CableMessage {
  const { cause = 'command', requested_at, reason } = run.cancel ?? {};
  return {
    action: 'execution_cancelled',
    message: CANCEL_WORDS[cause],
    ...(reason === undefined ? {} : { reason }),
    ...stamped(requested_at),
    ...about(run),
  };
}

/** `total_execution_time` is the sum over the calls, as the document has it; `duration` the time on the clock. */
export function executionComplete(run: RunState): CableMessage {
  const summary = run.summary ?? summarise(run, run.ended_at ?? run.accepted_at);
  return {
    action: 'tool_execution_complete',
    status: run.status,
    total_tools: summary.total,
    successful: summary.successful,
    failed: summary.failed,
    cancelled: summary.cancelled,
    skipped: summary.skipped,
    total_execution_time: seconds(run.tools.reduce((sum, tool) => sum + executionMs(tool), 0)),
    duration: seconds(summary.duration_ms),
    files_created: summary.files_created,
    lines_written: summary.lines_written,
    ...stamped(run.ended_at),
    ...about(run),
  };
}

function statusUpdate(run: RunState, tool: ToolState, status: string, at: string | undefined): CableMessage {
  return {
    action: 'tool_status_update',
    tool_index: tool.index,
    status,
    tool_name: tool.name,
    call_id: tool.call_id,
    attempt: tool.attempt,
    ...stamped(at),
    ...about(run),
  };
}

const stamped = (at: string | undefined): { timestamp?: string } => (at === undefined ? {} : { timestamp: at });
