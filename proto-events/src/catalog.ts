import { z } from 'zod';
import { token } from './tokens.ts';
import { json, millis } from './values.ts';

export const retryPolicy = z.object({
  /** Executions that may fail retryably before the tool call fails for good; 1 = never retry. */
  max_attempts: z.number().int().min(1).max(20),
  initial_ms: millis,
  factor: z.number().min(1).max(10),
  max_ms: millis,
});
export type RetryPolicy = z.infer<typeof retryPolicy>;

export const isolation = z.enum(['inline', 'thread', 'process']);
export type Isolation = z.infer<typeof isolation>;

export const approvalPolicy = z.enum(['always', 'destructive', 'never']);
export type ApprovalPolicy = z.infer<typeof approvalPolicy>;

/** What a pause does to a running call: it waits at its next report, or it goes on to its end. */
export const pausePolicy = z.enum(['hold', 'finish']);
export type PausePolicy = z.infer<typeof pausePolicy>;

/**
 * Who may answer when a call waits for an approval: whoever holds `runs:control`, only an `admin`, or only these subjects
 * (`sub` of the token) and an `admin`.
 */
export const approvers = z.union([z.enum(['control', 'admin']), z.array(z.string().min(1).max(256)).min(1).max(64)]);
export type Approvers = z.infer<typeof approvers>;

/** A tool as its executors announce it: the value under `<pool>.<name>` in the tools bucket. */
export const toolDefinition = z.object({
  name: token,
  description: z.string().max(4096),
  pool: token,
  input_schema: z.record(z.string(), json),
  idempotent: z.boolean(),
  destructive: z.boolean(),
  isolation,
  approval: approvalPolicy,
  timeout_ms: millis.min(1),
  retries: retryPolicy,
  /** Used until five runs of the tool are known. */
  estimated_ms: millis,
  /** Absent: `hold`. */
  pause: pausePolicy.optional(),
  /** Absent: `control`. */
  approvers: approvers.optional(),
  /** How long an approval is waited for before the call is denied. Absent: as the orchestrator is configured. */
  approval_timeout_ms: millis.min(1).optional(),
});
export type ToolDefinition = z.infer<typeof toolDefinition>;

/** What the projection learned of a tool: the value under `<name>` in the estimates bucket. */
export const toolEstimate = z.object({ runs: z.number().int().nonnegative(), p50_ms: z.number().nonnegative() });
export type ToolEstimate = z.infer<typeof toolEstimate>;
