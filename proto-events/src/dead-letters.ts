import { z } from 'zod';
import { commandError } from './commands.ts';
import { job } from './jobs.ts';
import { token } from './tokens.ts';
import { count, instant, json } from './values.ts';

/** How long a dead letter is kept after it was last changed. */
export const DEAD_LETTER_TTL_MS = 30 * 24 * 3600_000;

/** The id of a dead letter is that of its job: `<run>_<index>_<dispatch>`. */
export const deadLetterId = z.string().regex(/^\d{1,4}-[0-9A-HJKMNP-TV-Z]{26}_\d{1,3}_\d{1,9}$/, 'must be a job id');

/** What a redrive led to. */
export const redriven = z.object({
  at: instant,
  actor: z.string(),
  reason: z.string().optional(),
  /** `retry`: the call runs again in its run. `new_run`: its run had ended, so a new one was accepted. */
  as: z.enum(['retry', 'new_run']),
  /** The run in which the call runs again. */
  run_id: z.string(),
  cursor: z.string(),
});
export type Redriven = z.infer<typeof redriven>;

/** A job that exhausted its deliveries, with everything that running it again needs. */
export const deadLetter = z.object({
  job,
  reason: z.enum(['max_deliveries', 'terminated']),
  message: z.string(),
  deliveries: count,
  at: instant,
  /** An attempt of this job had begun: the tool may have done part of its work. */
  started: z.boolean().optional(),
  redriven: redriven.optional(),
});
export type DeadLetter = z.infer<typeof deadLetter>;

export const deadLetterItem = z.object({
  id: z.string(),
  app: token,
  run_id: z.string(),
  index: count,
  call_id: z.string(),
  name: z.string(),
  pool: token,
  reason: deadLetter.shape.reason,
  message: z.string(),
  deliveries: count,
  started: z.boolean(),
  idempotent: z.boolean(),
  at: instant,
  expires_at: instant,
  redriven: redriven.optional(),
});
export type DeadLetterItem = z.infer<typeof deadLetterItem>;

/** One dead letter with what its job would run with. */
export const deadLetterDetails = deadLetterItem.extend({ arguments: json, checkpoint: json.optional() });
export type DeadLetterDetails = z.infer<typeof deadLetterDetails>;

/** `ts.query.dlq`: the most recently changed first. `before` is the `next` of the page before. */
export const dlqQuery = z.object({
  tenant: token,
  apps: z.union([z.literal('*'), z.array(token)]),
  app: token.optional(),
  limit: z.number().int().min(1).max(200).default(50),
  before: z
    .string()
    .regex(/^[1-9]\d{0,14}$/, 'must be the next of a page')
    .optional(),
});
export const dlqQueryReply = z.union([
  z.object({ entries: z.array(deadLetterItem), next: z.string().optional() }),
  z.object({ ok: z.literal(false), error: commandError }),
]);

/** `ts.query.dead_letter`. */
export const deadLetterQuery = z.object({ tenant: token, id: deadLetterId });
export const deadLetterQueryReply = z.union([
  z.object({ found: z.literal(true), entry: deadLetterDetails }),
  z.object({ found: z.literal(false) }),
  z.object({ ok: z.literal(false), error: commandError }),
]);

/** `ts.cmd.redrive`: runs the call of a dead letter again. Repeated, it answers what the first one led to. */
export const redriveDeadLetter = z.object({
  tenant: token,
  actor: z.string().min(1).max(256),
  traceparent: z.string().max(128).optional(),
  id: deadLetterId,
  reason: z.string().max(1000).optional(),
});
export type RedriveDeadLetter = z.infer<typeof redriveDeadLetter>;
export const redriveReply = z.union([
  z.object({ ok: z.literal(true), replayed: z.boolean(), redriven }),
  z.object({ ok: z.literal(false), error: commandError }),
]);
export type RedriveReply = z.infer<typeof redriveReply>;
