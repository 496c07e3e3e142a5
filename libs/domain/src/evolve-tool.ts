import {
  isToolEnded,
  OUTPUT_TAIL_CHARS,
  type RunState,
  type ToolState,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import { dependentsOf } from './graph.ts';
import { known } from './known.ts';
import { replaceTool } from './replace-tool.ts';

/** Applies an event that names a tool. The run has not ended. */
export function evolveTool(state: RunState, event: ToolstreamEvent): RunState {
  const index = event.toolindex;
  if (index === undefined || !state.tools[index]) return state;
  if (event.type === 'tool.retry_requested.v1') return reopened(state, index);
  const next = replaceTool(state, index, (tool) =>
    isToolEnded(tool.status) ? tool : changed(tool, event, state.status === 'cancelling'),
  );
  const mark = MARKED[event.type];
  return mark && next !== state ? { ...next, marks: { ...next.marks, [`tool.${index}.${mark}`]: state.seq } } : next;
}

/** Commands on a tool whose event answers a repetition of the same wish. */
const MARKED: Readonly<Record<string, string>> = {
  'tool.cancel_requested.v1': 'cancel',
  'tool.approved.v1': 'approve',
  'tool.denied.v1': 'deny',
};

function changed(tool: ToolState, event: ToolstreamEvent, cancelling: boolean): ToolState {
  const current = tool.status === 'running' && event.attempt === tool.attempt;
  // Of an attempt that is no longer the current one nothing counts, not even its end.
  const superseded = event.attempt !== undefined && !current && event.type !== 'tool.started.v1';
  if (superseded) return tool;
  switch (event.type) {
    case 'tool.queued.v1': {
      if (tool.status === 'running' || event.data.dispatch <= tool.dispatch) return tool;
      const { retry_at, released, ...rest } = tool;
      return { ...rest, status: 'queued', dispatch: event.data.dispatch, queued_at: event.time };
    }
    case 'tool.started.v1': {
      if (event.attempt === undefined || event.attempt <= tool.attempt) return tool;
      const { progress, measured, output, output_rest, error, ended_at, retry_at, released, ...rest } = tool;
      return {
        ...rest,
        status: 'running',
        attempt: event.attempt,
        claimed_dispatch: event.data.dispatch,
        started_at: event.time,
      };
    }
    case 'tool.progressed.v1': {
      if (!current) return tool;
      const measured = event.data.progress ?? tool.measured;
      return { ...tool, progress: { ...event.data, at: event.time }, ...(measured === undefined ? {} : { measured }) };
    }
    case 'tool.output.v1': {
      if (!current) return tool;
      const { artifact } = event.data;
      const output = appended(tool.output ?? [], event.data);
      return { ...tool, output, ...(artifact === undefined ? {} : { output_rest: artifact }) };
    }
    case 'tool.checkpointed.v1':
      return current ? { ...tool, checkpoint: event.data.state } : tool;
    case 'tool.cancel_acknowledged.v1':
      return current && tool.cancel ? { ...tool, cancel: { ...tool.cancel, acknowledged_at: event.time } } : tool;
    case 'tool.succeeded.v1':
      if (!current) return tool;
      return {
        ...tool,
        status: 'succeeded',
        ended_at: event.time,
        result: event.data.result,
        metrics: event.data.metrics,
      };
    case 'tool.failed.v1': {
      const failures = event.data.retryable ? tool.failures + 1 : tool.failures;
      const failed = { ...tool, ...known({ metrics: event.data.metrics }), failures, error: event.data.error };
      const again = event.data.retryable && failures < tool.retries.max_attempts && !cancelling && !tool.cancel;
      return again ? { ...failed, status: 'retrying' } : { ...failed, status: 'failed', ended_at: event.time };
    }
    case 'tool.cancelled.v1': {
      const { retry_at, ...rest } = tool;
      return { ...rest, ...known({ metrics: event.data.metrics }), status: 'cancelled', ended_at: event.time };
    }
    case 'tool.skipped.v1':
      return {
        ...tool,
        status: 'skipped',
        ended_at: event.time,
        skip_reason: event.data.reason,
        ...known({ skip_cause: event.data.cause_index }),
      };
    case 'tool.released.v1':
      if (tool.status !== 'running' && tool.status !== 'queued') return tool;
      return {
        ...tool,
        status: 'pending',
        released: event.data.reason,
        ...known({ input_request: event.data.request }),
      };
    case 'tool.retry_scheduled.v1':
      return tool.status === 'retrying' ? { ...tool, retry_at: event.data.due_at } : tool;
    case 'tool.approval_requested.v1': {
      if (tool.status !== 'pending') return tool;
      const { input_request, ...rest } = tool;
      return {
        ...rest,
        status: 'awaiting_approval',
        approval: {
          reason: event.data.reason,
          requested_at: event.time,
          ...known({ request: event.data.request, expires_at: event.data.expires_at }),
        },
      };
    }
    case 'tool.approved.v1': {
      const approval = decided(tool, event, event.data.reason, 'approved');
      if (!approval) return tool;
      const { released, ...rest } = tool;
      return { ...rest, ...known({ arguments: event.data.arguments }), status: 'pending', approval };
    }
    case 'tool.denied.v1': {
      const decision = decided(tool, event, event.data.reason, 'denied');
      if (!decision) return tool;
      const { expired } = event.data;
      const approval = expired === undefined ? decision : { ...decision, expired };
      const ended = { ...tool, approval, ended_at: event.time };
      if (approval.reason !== 'lost_attempt') return { ...ended, status: 'denied' };
      const message = expired
        ? 'The attempt was lost, and nobody said in time whether it may run again.'
        : 'The attempt was lost, and running it again was denied.';
      return { ...ended, status: 'failed', error: { code: 'lost_attempt_denied', message } };
    }
    case 'tool.cancel_requested.v1': {
      if (tool.cancel) return tool;
      return {
        ...tool,
        cancel: { requested_at: event.time, ...known({ reason: event.data.reason, actor: event.actor }) },
      };
    }
    default:
      return tool;
  }
}

function decided(
  tool: ToolState,
  event: ToolstreamEvent,
  comment: string | undefined,
  decision: 'approved' | 'denied',
): ToolState['approval'] {
  if (tool.status !== 'awaiting_approval' || !tool.approval) return undefined;
  return {
    ...tool.approval,
    decision,
    decided_at: event.time,
    ...known({ actor: event.actor, comment }),
  };
}

/** Keeps the last {@link OUTPUT_TAIL_CHARS} of the output, whole chunks merged per channel. */
function appended(
  output: NonNullable<ToolState['output']>,
  chunk: { channel: string; text: string },
): NonNullable<ToolState['output']> {
  const last = output.at(-1);
  const merged =
    last?.channel === chunk.channel
      ? [...output.slice(0, -1), { channel: chunk.channel, text: last.text + chunk.text }]
      : [...output, { channel: chunk.channel, text: chunk.text }];
  let excess = merged.reduce((sum, part) => sum + part.text.length, 0) - OUTPUT_TAIL_CHARS;
  while (excess > 0) {
    const first = merged[0]!;
    if (first.text.length <= excess) {
      excess -= first.text.length;
      merged.shift();
    } else {
      merged[0] = { channel: first.channel, text: first.text.slice(excess) };
      excess = 0;
    }
  }
  return merged;
}

/** A retry that was asked for starts the call over, and with it everything that was skipped because of it. */
function reopened(state: RunState, index: number): RunState {
  const tool = state.tools[index]!;
  if (!isToolEnded(tool.status) || tool.status === 'succeeded' || state.status === 'cancelling') return state;
  let next = replaceTool(state, index, fresh);
  for (const dependent of dependentsOf(state.tools, index)) {
    next = replaceTool(next, dependent, (t) => (t.status === 'skipped' ? fresh(t) : t));
  }
  return { ...next, marks: { ...next.marks, [`tool.${index}.retry`]: state.seq } };
}

function fresh(tool: ToolState): ToolState {
  const {
    ended_at,
    result,
    error,
    metrics,
    progress,
    measured,
    output,
    output_rest,
    cancel,
    approval,
    retry_at,
    released,
    input_request,
    skip_reason,
    skip_cause,
    ...rest
  } = tool;
  return { ...rest, status: 'pending', failures: 0 };
}
