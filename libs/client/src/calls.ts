import type { WireCall } from '@toolstream/proto-events';
import { ToolstreamError } from './errors.ts';

/** What a model API answered with, whole or the part that holds the calls. */
export type ModelAnswer = unknown;

/**
 * The tool calls in what a model API answered: an OpenAI chat completion or its message, an OpenAI response, an
 * Anthropic message, or a bare list of calls. Empty when it asked for none; a call that has no known shape is an error.
 */
export function callsOf(answer: ModelAnswer): WireCall[] {
  return found(answer).map((call, index) => {
    const native = nativeOf(call);
    if (isWireCall(native)) return native;
    throw new ToolstreamError('invalid', `Call ${index} of the answer has the shape of no known tool call.`);
  });
}

function found(answer: unknown): unknown[] {
  if (Array.isArray(answer)) return answer;
  if (typeof answer !== 'object' || answer === null) return [];
  const { tool_calls, choices, message, content, output } = answer as Record<string, unknown>;
  if (Array.isArray(tool_calls)) return tool_calls;
  if (Array.isArray(choices)) return found(choices[0]);
  if (message !== undefined) return found(message);
  return [content, output].flatMap((parts) => (Array.isArray(parts) ? parts.filter(isCall) : []));
}

const isCall = (part: unknown): boolean => {
  const type = (part as { type?: unknown } | null)?.type;
  return type === 'tool_use' || type === 'function_call';
};

/** A function call of OpenAI's Responses API, which has a shape of its own, as a native call. */
function nativeOf(call: unknown): unknown {
  const { type, call_id, name, arguments: args } = (call ?? {}) as Record<string, unknown>;
  return type === 'function_call' ? { id: call_id, name, arguments: args } : call;
}

/** As far as the service must understand it to answer it at all; what is in the arguments is for the service to judge. */
function isWireCall(call: unknown): call is WireCall {
  const { id, type, name, function: named } = (call ?? {}) as Record<string, unknown>;
  const of = type === 'function' ? (named as { name?: unknown } | null | undefined)?.name : name;
  return isName(id) && isName(of);
}

const isName = (value: unknown): boolean => typeof value === 'string' && value.length > 0 && value.length <= 256;
