import { isRunEnded, isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import { APPROVAL_EXPIRY_ACTOR, approvalExpiry } from './approvals.ts';
import { abandonDue, isDue, runDeadline, runExpiry } from './deadlines.ts';
import { isEligible } from './eligible.ts';
import { evolve } from './evolve.ts';
import { backoff } from './retry.ts';
import { summarise } from './summary.ts';
import { plus } from './time.ts';
import { toEvent } from './to-event.ts';
import type { Draft, Now } from './types.ts';

/** More than any run can need in one go: every tool released, queued or ended, and the run's start and end. */
const MOST_DRAFTS = 2_000;

/**
 * Everything that is due in a run's life, in order: its start, what may be queued, retried, skipped, taken away or
 * abandoned, and its end. Computed by playing each step through the fold, so that a step is decided on what the ones
 * before it make of the run. Idempotent: with nothing due it gives nothing.
 */
export function advance(state: RunState, now: Now): Draft[] {
  const drafts: Draft[] = [];
  let current = state;
  while (drafts.length < MOST_DRAFTS) {
    const drafted = nextSteps(current, now);
    if (drafted.length === 0) return drafts;
    for (const draft of drafted) {
      drafts.push(draft);
      const event = toEvent(draft, current, { id: 'draft', source: 'draft', at: now.at });
      current = evolve(current, { event, seq: current.seq + 1 }) ?? current;
    }
  }
  return drafts;
}

function nextSteps(state: RunState, now: Now): Draft[] {
  if (isRunEnded(state.status)) return [];
  if (state.tools.every((tool) => isToolEnded(tool.status))) return [runEnd(state, now.at)];
  const expired = expiry(state, now.at);
  if (expired) return [expired];
  if (state.status === 'accepted') return [{ type: 'run.started.v1', writer: 'run', data: {} }];
  return state.tools.flatMap((tool) => toolStep(state, tool, now) ?? []);
}

function expiry(state: RunState, at: string): Draft | undefined {
  if (state.status === 'cancelling') return undefined;
  const cause = isDue(runExpiry(state), at)
    ? 'run_expired'
    : isDue(runDeadline(state) ?? runExpiry(state), at)
      ? 'run_timeout'
      : undefined;
  return cause && { type: 'run.cancel_requested.v1', writer: 'run', data: { cause } };
}

function toolStep(state: RunState, tool: ToolState, now: Now): Draft | undefined {
  if (isToolEnded(tool.status)) return undefined;
  const request = tool.cancel ?? (state.status === 'cancelling' ? state.cancel : undefined);
  if (request) return cancelStep(tool, request, now.at);
  if (state.status === 'paused') return tool.status === 'queued' ? takenBack(tool) : undefined;
  switch (tool.status) {
    case 'pending':
      return pendingStep(state, tool, now.at);
    case 'awaiting_approval':
      return expiredStep(tool, now.at);
    case 'retrying':
      return retryStep(tool, now);
    default:
      return undefined;
  }
}

/**
 * A tool that no attempt holds is cancelled at once: on its own subject while a job is out, where exactly one of this
 * and the claim wins; otherwise on the run's. A running one is its attempt's to end, until the grace time is over.
 */
function cancelStep(
  tool: ToolState,
  request: { requested_at: string; reason?: string | undefined },
  at: string,
): Draft | undefined {
  const reason = request.reason;
  if (tool.status === 'running') {
    if (!isDue(abandonDue(request.requested_at), at)) return undefined;
    return onTool(tool, { type: 'tool.cancelled.v1', data: { reason, abandoned: true }, attempt: tool.attempt });
  }
  return tool.status === 'queued'
    ? onTool(tool, { type: 'tool.cancelled.v1', data: { reason } })
    : onRun(tool, { type: 'tool.cancelled.v1', data: { reason } });
}

const takenBack = (tool: ToolState): Draft => onTool(tool, { type: 'tool.released.v1', data: { reason: 'paused' } });

function pendingStep(state: RunState, tool: ToolState, at: string): Draft | undefined {
  if (!isEligible(state, tool)) return undefined;
  const failed =
    state.ordering === 'graph' ? tool.depends_on.find((i) => state.tools[i]?.status !== 'succeeded') : undefined;
  if (failed !== undefined) {
    const cause = state.tools[failed];
    const reason = `It depends on ${cause?.call_id ?? failed}, which ${cause?.status === 'failed' ? 'failed' : `was ${cause?.status}`}.`;
    return onRun(tool, { type: 'tool.skipped.v1', data: { reason, cause_index: failed } });
  }
  if (tool.rejection) return onRun(tool, { type: 'tool.failed.v1', data: { error: tool.rejection, retryable: false } });
  const approved = tool.approval?.decision === 'approved';
  if (tool.released === 'lost' && !tool.idempotent) {
    return askForApproval(tool, 'lost_attempt', at);
  }
  if (tool.released === 'input') return askForApproval(tool, 'input', at);
  const needsApproval =
    tool.approval_policy === 'always' || (tool.approval_policy === 'destructive' && tool.destructive);
  if (needsApproval && !approved) return askForApproval(tool, 'policy', at);
  const cause = tool.released === 'paused' ? 'resumed' : tool.released ? 'released' : approved ? 'approved' : 'first';
  return queued(tool, tool.dispatch > 0 && cause === 'first' ? 'requested' : cause);
}

function askForApproval(tool: ToolState, reason: 'policy' | 'lost_attempt' | 'input', at: string): Draft {
  const request = reason === 'input' ? { request: tool.input_request } : {};
  const data = { reason, ...request, expires_at: approvalExpiry(tool, at) };
  return onRun(tool, { type: 'tool.approval_requested.v1', data });
}

/** Nobody answered: the call is denied in the name of the service. A paused run does not come here. */
function expiredStep(tool: ToolState, at: string): Draft | undefined {
  const expires = tool.approval?.expires_at;
  if (expires === undefined || !isDue(expires, at)) return undefined;
  const reason = `Nobody approved or denied it within ${tool.approval_timeout_ms} ms.`;
  const draft = onRun(tool, { type: 'tool.denied.v1', data: { reason, expired: true } });
  return { ...draft, actor: APPROVAL_EXPIRY_ACTOR };
}

function retryStep(tool: ToolState, now: Now): Draft | undefined {
  if (tool.retry_at !== undefined) return isDue(tool.retry_at, now.at) ? queued(tool, 'retry') : undefined;
  const delay_ms = backoff(tool.retries, tool.failures, now.random);
  const data = { failures: tool.failures, delay_ms, due_at: plus(now.at, delay_ms) };
  return onRun(tool, { type: 'tool.retry_scheduled.v1', data });
}

const queued = (tool: ToolState, cause: 'first' | 'retry' | 'resumed' | 'released' | 'approved' | 'requested'): Draft =>
  onRun(tool, { type: 'tool.queued.v1', data: { dispatch: tool.dispatch + 1, tool_seq: tool.tool_seq, cause } });

function runEnd(state: RunState, at: string): Draft {
  const summary = summarise(state, at);
  if (summary.successful === summary.total) return { type: 'run.succeeded.v1', writer: 'run', data: { summary } };
  if (state.cancel?.cause === 'command') {
    return { type: 'run.cancelled.v1', writer: 'run', data: { summary, reason: state.cancel.reason } };
  }
  return { type: 'run.failed.v1', writer: 'run', data: { summary, error: runError(state) } };
}

function runError(state: RunState): { code: string; message: string } {
  switch (state.cancel?.cause) {
    case 'run_timeout':
      return { code: 'run_timeout', message: `The run took longer than its ${state.timeout_ms} ms of running time.` };
    case 'run_expired':
      return { code: 'run_expired', message: `The run was older than ${state.max_age_ms} ms.` };
    default: {
      const unsuccessful = state.tools.filter((tool) => tool.status !== 'succeeded');
      const names = unsuccessful.slice(0, 5).map((tool) => `${tool.name} (${tool.call_id}) ${tool.status}`);
      const more = unsuccessful.length > names.length ? `, and ${unsuccessful.length - names.length} more` : '';
      return { code: 'tools_failed', message: `Not every tool call succeeded: ${names.join(', ')}${more}.` };
    }
  }
}

type Shape = Draft extends infer D
  ? D extends Draft
    ? Pick<D, 'type' | 'data'> & { attempt?: number }
    : never
  : never;
const onRun = (tool: ToolState, shape: Shape): Draft => ({ ...shape, writer: 'run', toolindex: tool.index }) as Draft;
const onTool = (tool: ToolState, shape: Shape): Draft =>
  ({ ...shape, writer: tool.index, toolindex: tool.index }) as Draft;
