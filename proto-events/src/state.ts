import { z } from 'zod';
import { plannedTool, runPlan } from './plan.ts';
import { token } from './tokens.ts';
import {
  artifactRef,
  count,
  inputRequest,
  instant,
  json,
  millis,
  runSummary,
  toolError,
  toolMetrics,
} from './values.ts';

export const runStatus = z.enum(['accepted', 'running', 'paused', 'cancelling', 'succeeded', 'failed', 'cancelled']);
export type RunStatus = z.infer<typeof runStatus>;

export const toolStatus = z.enum([
  'pending',
  'queued',
  'running',
  'awaiting_approval',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'skipped',
  'denied',
]);
export type ToolStatus = z.infer<typeof toolStatus>;

export const toolProgress = z.object({
  stage: z.string(),
  message: z.string().optional(),
  progress: z.number().optional(),
  details: z.record(z.string(), json).optional(),
  at: instant,
});
export type ToolProgress = z.infer<typeof toolProgress>;

/** One tool call's state. Present fields follow the status; nothing here is computed anywhere but in the fold. */
export const toolState = plannedTool.extend({
  status: toolStatus,
  /** Number of the current or last attempt; 0 before the first. */
  attempt: count,
  /** Number of the last job sent out; 0 before the first. */
  dispatch: count,
  /** Dispatch that the current or last attempt runs for; 0 before the first. */
  claimed_dispatch: count,
  /** Stream sequence of the last event on the tool's own subject; 0 when there is none. What a fence compares. */
  tool_seq: count,
  /** Retryable failures so far. */
  failures: count,
  queued_at: instant.optional(),
  started_at: instant.optional(),
  ended_at: instant.optional(),
  /** Measured progress of the current attempt. */
  progress: toolProgress.optional(),
  /** The last percentage that the current attempt measured: later stages may measure none. */
  measured: z.number().optional(),
  /** The last 16 KiB of output of the current attempt, oldest first. */
  output: z.array(z.object({ channel: z.string(), text: z.string() })).optional(),
  /** Where the current attempt's output beyond the log's limit is kept: a JSON line `{channel, text}` per chunk. */
  output_rest: artifactRef.optional(),
  checkpoint: json.optional(),
  result: json.optional(),
  error: toolError.optional(),
  metrics: toolMetrics.optional(),
  retry_at: instant.optional(),
  approval: z
    .object({
      reason: z.enum(['policy', 'lost_attempt', 'input']),
      request: inputRequest.optional(),
      requested_at: instant,
      /** When it is denied if nobody answers; moved on by what the run is paused. */
      expires_at: instant.optional(),
      /** Nobody answered in time. */
      expired: z.boolean().optional(),
      decision: z.enum(['approved', 'denied']).optional(),
      decided_at: instant.optional(),
      actor: z.string().optional(),
      comment: z.string().optional(),
    })
    .optional(),
  cancel: z
    .object({
      requested_at: instant,
      acknowledged_at: instant.optional(),
      reason: z.string().optional(),
      actor: z.string().optional(),
    })
    .optional(),
  skip_reason: z.string().optional(),
  /** The failed call that this one was skipped for. */
  skip_cause: count.optional(),
  /** Why the last attempt handed the call back. */
  released: z.enum(['drain', 'paused', 'lost', 'input']).optional(),
  /** What it asked when it did so for a person's answer, until that is asked for. */
  input_request: inputRequest.optional(),
});
export type ToolState = z.infer<typeof toolState>;

/**
 * A run's state: the fold of its events up to `seq`. It is the snapshot that clients receive, plain JSON, and folding
 * further events onto a received snapshot gives the same as folding them onto one's own.
 */
export const runState = z.object({
  run_id: z.string(),
  tenant: token,
  app: token,
  message_id: token.optional(),
  status: runStatus,
  ordering: runPlan.shape.ordering,
  priority: runPlan.shape.priority,
  timeout_ms: millis,
  max_age_ms: millis,
  request_hash: z.string(),
  rerun_of: z.string().optional(),
  actor: z.string().optional(),
  traceparent: z.string().optional(),
  /** Stream sequence of the last event folded: the position of this state. */
  seq: count,
  /** Stream sequence of `run.accepted`. */
  accepted_seq: count,
  /** Stream sequence of the last event on the run's own subject: what the orchestrator's fence compares. */
  run_seq: count,
  accepted_at: instant,
  started_at: instant.optional(),
  ended_at: instant.optional(),
  paused_at: instant.optional(),
  /** Closed pauses since the start; an open one began at `paused_at`. */
  paused_ms: millis,
  cancel: z
    .object({
      cause: z.enum(['command', 'run_timeout', 'run_expired']),
      requested_at: instant,
      reason: z.string().optional(),
      actor: z.string().optional(),
    })
    .optional(),
  tools: z.array(toolState),
  summary: runSummary.optional(),
  error: toolError.optional(),
  /** Sequence of the event that last made each thing so (`pause`, `resume`, `cancel`, `tool.3.cancel`, …): a command's answer when there is nothing left to do. */
  marks: z.record(z.string(), count),
  /** Ids of the newest commands that made events → sequence of that event. A command repeated is answered from here. */
  commands: z.record(z.string(), count),
});
export type RunState = z.infer<typeof runState>;

/** What the interface hands out: the state and the cursor that stands for its `seq`. */
export type RunSnapshot = RunState & { cursor: string };
