import { z } from 'zod';
import { isolation, pausePolicy } from './catalog.ts';
import { PRIORITIES } from './subjects.ts';
import { runId, token } from './tokens.ts';
import { count, instant, json, millis } from './values.ts';

/** One tool job. Its id (`<run>_<index>_<dispatch>`) is its `Nats-Msg-Id` and the `Ts-Job` of everything its attempts append. */
export const job = z.object({
  job_id: z.string(),
  tenant: token,
  app: token,
  run: runId,
  index: count,
  call_id: z.string(),
  name: z.string(),
  pool: token,
  priority: z.enum(PRIORITIES),
  dispatch: z.number().int().min(1),
  /** Number that a first delivery's attempt takes. */
  attempt: z.number().int().min(1),
  /** Sequence of the tool subject's last event at dispatch; a first delivery claims with exactly this. */
  tool_seq: count,
  /** Sequence of the `tool.queued` event: the run's control state is known up to here. */
  run_seq: count,
  queued_at: instant,
  arguments: json,
  timeout_ms: millis.min(1),
  idempotent: z.boolean(),
  isolation,
  /** Absent: `hold`. */
  pause: pausePolicy.optional(),
  checkpoint: json.optional(),
  traceparent: z.string().optional(),
});
export type Job = z.infer<typeof job>;

export const jobId = (run: string, index: number, dispatch: number): string => `${run}_${index}_${dispatch}`;

/** A durable timer. When it fires it is a command that the state may refuse. */
export const timer = z.object({
  id: token,
  kind: z.enum(['retry', 'run_timeout', 'run_expiry', 'abandon', 'approval']),
  tenant: token,
  app: token,
  run: runId,
  index: count.optional(),
  /** Retryable failures of the tool when the timer was set: a later failure's timer is another one. */
  failures: count.optional(),
  due_at: instant,
});
export type Timer = z.infer<typeof timer>;
