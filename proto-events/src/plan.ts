import { z } from 'zod';
import { approvalPolicy, approvers, isolation, pausePolicy, retryPolicy } from './catalog.ts';
import { PRIORITIES } from './subjects.ts';
import { token } from './tokens.ts';
import { count, json, millis, toolError } from './values.ts';

/** `sequential` and `parallel` as asked; `graph` when any call names what it depends on. */
export const ordering = z.enum(['sequential', 'parallel', 'graph']);
export type Ordering = z.infer<typeof ordering>;

/** One tool call as it was accepted: everything that its execution needs, frozen in the log. */
export const plannedTool = z.object({
  index: count,
  call_id: z.string().min(1).max(256),
  name: z.string().min(1).max(256),
  description: z.string().max(4096),
  pool: token,
  arguments: json,
  depends_on: z.array(count).max(256),
  timeout_ms: millis.min(1),
  retries: retryPolicy,
  idempotent: z.boolean(),
  isolation,
  approval_policy: approvalPolicy,
  destructive: z.boolean(),
  /** Absent: `control`. */
  approvers: approvers.optional(),
  /** How long an approval is waited for, pauses outside. Absent: for as long as the run lives. */
  approval_timeout_ms: millis.min(1).optional(),
  /** Absent: `hold`. */
  pause: pausePolicy.optional(),
  estimated_duration_ms: millis,
  /** Set when the call cannot run (`unknown_tool`, `invalid_arguments`): it fails alone when its turn comes. */
  rejection: toolError.optional(),
});
export type PlannedTool = z.infer<typeof plannedTool>;

export const runPlan = z.object({
  ordering,
  priority: z.enum(PRIORITIES),
  message_id: token.optional(),
  /** Running time that the run may take, pauses outside. */
  timeout_ms: millis.min(1),
  /** Age at which the run fails as `run_expired`, pauses included. */
  max_age_ms: millis.min(1),
  tools: z.array(plannedTool).min(1).max(256),
  /** sha256 of what the caller asked for, whatever wire shape it came in. */
  request_hash: z.string(),
  rerun_of: z.string().optional(),
});
export type RunPlan = z.infer<typeof runPlan>;
