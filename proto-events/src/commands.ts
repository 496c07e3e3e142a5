import { z } from 'zod';

import { PRIORITIES } from './subjects.ts';
import { runId, token } from './tokens.ts';
import { count, json, millis } from './values.ts';

/** Who asks; taken from the token by the edge, recorded in the event. */
const caller = {
  tenant: token,
  actor: z.string().min(1).max(256),
  /** The token's scope is `admin`. Absent: it is not. */
  admin: z.boolean().optional(),
  traceparent: z.string().max(128).optional(),
};
const reason = z.string().max(1000).optional();
/** Given by the caller (`Idempotency-Key`, a frame's `id`) or made by the edge: a command repeated is answered, not repeated. */
const commandId = z.string().min(1).max(128);

export const requestedCallSchema = z.object({
  call_id: z.string().min(1).max(256),
  name: z.string().min(1).max(256),
  arguments: json,
  parse_error: z.string().optional(),
  depends_on: z.array(z.string()).max(256),
  timeout_ms: millis.min(1).optional(),
});

export const submitRun = z.object({
  ...caller,
  app: token,
  message_id: token.optional(),
  mode: z.enum(['sequential', 'parallel']),
  priority: z.enum(PRIORITIES),
  calls: z.array(requestedCallSchema).min(1),
  request_hash: z.string(),
  idempotency_key: z
    .string()
    .regex(/^[\x20-\x7e]{1,255}$/)
    .optional(),
  rerun_of: z.string().optional(),
});
export type SubmitRun = z.infer<typeof submitRun>;

const onRun = { ...caller, run: runId, command_id: commandId, reason };
const onTool = { ...onRun, index: z.number().int().min(0).max(255) };

/** Commands on an accepted run. Names are the last token of their NATS subject `ts.cmd.<name>`. */
export const runCommands = {
  pause: z.object(onRun),
  resume: z.object(onRun),
  cancel: z.object(onRun),
  cancel_tool: z.object(onTool),
  retry_tool: z.object(onTool),
  approve_tool: z.object({ ...onTool, arguments: json.optional() }),
  deny_tool: z.object(onTool),
} as const;
export type RunCommandName = keyof typeof runCommands;
export type RunCommandRequest = {
  [N in RunCommandName]: { name: N } & z.infer<(typeof runCommands)[N]>;
}[RunCommandName];

export const commandError = z.object({ code: z.string(), message: z.string(), retry_after_s: z.number().optional() });
export type CommandError = z.infer<typeof commandError>;

export const commandReply = z.union([
  z.object({ ok: z.literal(true), cursor: z.string() }),
  z.object({ ok: z.literal(false), error: commandError }),
]);
export type CommandReply = z.infer<typeof commandReply>;

export const acceptedTool = z.object({
  index: count,
  call_id: z.string(),
  name: z.string(),
  description: z.string(),
  estimated_duration_ms: millis,
});
export const acceptedRun = z.object({
  run_id: z.string(),
  cursor: z.string(),
  status: z.string(),
  tools: z.array(acceptedTool),
});
export type AcceptedRun = z.infer<typeof acceptedRun>;
export const submitReply = z.union([
  z.object({ ok: z.literal(true), replayed: z.boolean(), run: acceptedRun }),
  z.object({ ok: z.literal(false), error: commandError }),
]);
export type SubmitReply = z.infer<typeof submitReply>;
