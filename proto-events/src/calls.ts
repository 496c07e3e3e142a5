import { z } from 'zod';
import { messageId } from './messages.ts';
import { token } from './tokens.ts';
import { type Json, json, millis } from './values.ts';

const callId = z.string().min(1).max(256);
const toolName = z.string().min(1).max(256);

const openAiCall = z.object({
  id: callId,
  type: z.literal('function'),
  function: z.object({ name: toolName, arguments: json.optional() }),
});
const anthropicCall = z.object({ type: z.literal('tool_use'), id: callId, name: toolName, input: json.optional() });
const nativeCall = z.object({
  id: callId,
  name: toolName,
  arguments: json.optional(),
  depends_on: z.array(callId).max(256).optional(),
  timeout_ms: millis
    .min(1)
    .max(7 * 24 * 3600_000)
    .optional(),
});

/** The three wire shapes of a tool call, as the body of `POST /v1/runs` may mix them. */
export const wireCall = z.union([openAiCall, anthropicCall, nativeCall]);
export type WireCall = z.infer<typeof wireCall>;

export const submitBody = z.object({
  app: token,
  message_id: messageId.optional(),
  mode: z.enum(['sequential', 'parallel']).optional(),
  priority: z.enum(['high', 'normal', 'low']).optional(),
  tool_calls: z.array(wireCall).min(1),
});
export type SubmitBody = z.infer<typeof submitBody>;

/** A tool call whatever shape it came in. `arguments` is parsed; `parse_error` says why it could not be. */
export interface RequestedCall {
  readonly call_id: string;
  readonly name: string;
  readonly arguments: Json;
  readonly parse_error?: string;
  readonly depends_on: readonly string[];
  readonly timeout_ms?: number;
}

function parsed(raw: Json | undefined): { arguments: Json; parse_error?: string } {
  if (raw === undefined || raw === null || raw === '') return { arguments: {} };
  if (typeof raw !== 'string') return { arguments: raw };
  try {
    return { arguments: JSON.parse(raw) as Json };
  } catch (error) {
    return { arguments: raw, parse_error: error instanceof Error ? error.message : 'not JSON' };
  }
}

/** OpenAI, Anthropic and native calls of the same turn give the same requested calls. */
export function requestedCall(call: WireCall): RequestedCall {
  if ('function' in call) {
    return { call_id: call.id, name: call.function.name, ...parsed(call.function.arguments), depends_on: [] };
  }
  if ('type' in call) return { call_id: call.id, name: call.name, ...parsed(call.input), depends_on: [] };
  return {
    call_id: call.id,
    name: call.name,
    ...parsed(call.arguments),
    depends_on: call.depends_on ?? [],
    ...(call.timeout_ms === undefined ? {} : { timeout_ms: call.timeout_ms }),
  };
}
