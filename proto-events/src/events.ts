import { z } from 'zod';
import { runPlan } from './plan.ts';
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

const reason = z.string().max(1000).optional();
const index = z.number().int().min(0).max(255);

/**
 * Every event of the contract: type with its version → who writes it, and its data.
 * `run`: the orchestrator, on the run's subject. `tool`: the current attempt (or the orchestrator, when it takes the
 * tool away), on the tool's subject. `either`: on the tool's subject while a job may be out, else on the run's.
 */
export const eventTypes = {
  'run.accepted.v1': { on: 'run', data: runPlan },
  'run.started.v1': { on: 'run', data: z.object({}) },
  'run.paused.v1': { on: 'run', data: z.object({ reason }) },
  'run.resumed.v1': { on: 'run', data: z.object({ reason }) },
  'run.cancel_requested.v1': {
    on: 'run',
    data: z.object({ reason, cause: z.enum(['command', 'run_timeout', 'run_expired']) }),
  },
  /**
   * A command that asked for what was so already: it changes nothing, and is on record. `seq`: the event that had made it so,
   * with which the command and every repetition of it is answered.
   */
  'run.command_noted.v1': {
    on: 'run',
    data: z.object({ reason, command: z.string().max(32), index: index.optional(), seq: count }),
  },
  'run.succeeded.v1': { on: 'run', data: z.object({ summary: runSummary }) },
  'run.failed.v1': { on: 'run', data: z.object({ summary: runSummary, error: toolError }) },
  'run.cancelled.v1': { on: 'run', data: z.object({ summary: runSummary, reason }) },

  /** A job goes out. `dispatch` numbers the jobs of a tool call; `tool_seq` is what its first delivery claims with. */
  'tool.queued.v1': {
    on: 'run',
    data: z.object({
      dispatch: z.number().int().min(1),
      tool_seq: count,
      cause: z.enum(['first', 'retry', 'resumed', 'released', 'approved', 'requested']),
    }),
  },
  'tool.started.v1': {
    on: 'tool',
    data: z.object({ dispatch: z.number().int().min(1), executor: z.string(), queue_ms: millis }),
  },
  'tool.progressed.v1': {
    on: 'tool',
    data: z.object({
      stage: z.string().max(64),
      message: z.string().max(4096).optional(),
      /** Measured percentage 0..100; absent where the total is unknown. */
      progress: z.number().min(0).max(100).optional(),
      details: z.record(z.string(), json).optional(),
    }),
  },
  'tool.output.v1': {
    on: 'tool',
    data: z.object({
      channel: z.string().max(32),
      text: z.string(),
      /** Where the output continues once it passed its limit. */
      artifact: artifactRef.optional(),
    }),
  },
  'tool.checkpointed.v1': { on: 'tool', data: z.object({ state: json }) },
  'tool.cancel_acknowledged.v1': { on: 'tool', data: z.object({}) },
  'tool.succeeded.v1': { on: 'tool', data: z.object({ result: json, metrics: toolMetrics }) },
  'tool.failed.v1': {
    on: 'either',
    data: z.object({ error: toolError, retryable: z.boolean(), metrics: toolMetrics.optional() }),
  },
  'tool.cancelled.v1': {
    on: 'either',
    data: z.object({ reason, abandoned: z.boolean().optional(), metrics: toolMetrics.optional() }),
  },
  'tool.skipped.v1': { on: 'either', data: z.object({ reason: z.string().max(1000), cause_index: index.optional() }) },
  /** `input`: the call needs a person's answer to `request`; with it, it runs anew. */
  'tool.released.v1': {
    on: 'tool',
    data: z.object({ reason: z.enum(['drain', 'paused', 'lost', 'input']), request: inputRequest.optional() }),
  },

  'tool.retry_scheduled.v1': {
    on: 'run',
    data: z.object({ failures: z.number().int().min(1), delay_ms: millis, due_at: instant }),
  },
  'tool.approval_requested.v1': {
    on: 'run',
    data: z.object({
      reason: z.enum(['policy', 'lost_attempt', 'input']),
      /** What is asked, if the reason is `input`. */
      request: inputRequest.optional(),
      /** When it is denied if nobody answers. A pause moves it: what holds is in the tool's state. */
      expires_at: instant.optional(),
    }),
  },
  'tool.approved.v1': { on: 'run', data: z.object({ reason, arguments: json.optional() }) },
  /** `expired`: nobody answered in time; the actor is then `toolstream`. */
  'tool.denied.v1': { on: 'run', data: z.object({ reason, expired: z.boolean().optional() }) },
  'tool.cancel_requested.v1': { on: 'run', data: z.object({ reason }) },
  'tool.retry_requested.v1': { on: 'run', data: z.object({ reason }) },
} as const satisfies Record<string, { on: 'run' | 'tool' | 'either'; data: z.ZodType }>;

export type EventType = keyof typeof eventTypes;
export type EventData<T extends EventType> = z.infer<(typeof eventTypes)[T]['data']>;

/** The CloudEvents 1.0 attributes that every event has. `subject` is `runs/<run>` or `runs/<run>/tools/<index>`: the NATS subject it is stored on. */
export const envelope = z.object({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(128),
  source: z.string().min(1).max(256),
  type: z.string(),
  time: instant,
  subject: z.string().max(256),
  datacontenttype: z.literal('application/json'),
  runid: z.string().max(64),
  toolindex: index.optional(),
  attempt: z.number().int().min(1).optional(),
  tenant: token,
  app: token,
  actor: z.string().max(256).optional(),
  traceparent: z.string().max(128).optional(),
  data: z.unknown(),
});
export type Envelope = z.infer<typeof envelope>;

export type ToolstreamEvent = {
  [T in EventType]: Omit<Envelope, 'type' | 'data'> & { type: T; data: EventData<T> };
}[EventType];
export type EventOf<T extends EventType> = Extract<ToolstreamEvent, { type: T }>;

export const isEventType = (type: string): type is EventType => Object.hasOwn(eventTypes, type);

export class ContractError extends Error {
  override readonly name = 'ContractError';
}

/** Checks an untrusted value against the contract; throws {@link ContractError} with the first problem. */
export function parseEvent(value: unknown): ToolstreamEvent {
  const outer = envelope.safeParse(value);
  if (!outer.success) throw new ContractError(`no event of this contract: ${z.prettifyError(outer.error)}`);
  if (!isEventType(outer.data.type)) throw new ContractError(`unknown event type ${JSON.stringify(outer.data.type)}`);
  const data = eventTypes[outer.data.type].data.safeParse(outer.data.data);
  if (!data.success) throw new ContractError(`${outer.data.type}: ${z.prettifyError(data.error)}`);
  return { ...outer.data, data: data.data } as ToolstreamEvent;
}

/**
 * Decodes a stored event's text. Everything in the log was encoded by a fenced writer from this contract, so this
 * checks only what routing needs; {@link parseEvent} is for what comes from outside.
 */
export function decodeEvent(text: string): ToolstreamEvent {
  const value = JSON.parse(text) as ToolstreamEvent;
  if (typeof value?.type !== 'string' || !isEventType(value.type)) {
    throw new ContractError(`unknown event type ${JSON.stringify(value?.type)}`);
  }
  return value;
}
