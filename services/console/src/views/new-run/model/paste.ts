import { callsOf, ToolstreamError } from '@toolstream/client';
import type { Json, WireCall } from '@toolstream/proto-events';
import { type AddedCall, jsonText } from './draft.ts';
import { parseJson } from './json-text.ts';

export type AnswerFormat = 'openai' | 'openai-responses' | 'anthropic' | 'native';

export type Pasted =
  | { readonly ok: true; readonly format: AnswerFormat; readonly calls: readonly PastedCall[] }
  | { readonly ok: false; readonly message: string; readonly line?: number; readonly column?: number };

export type PastedCall = AddedCall & { readonly waits_for: readonly string[] };

/** The tool calls of what a model's API answered, as text. What is wrong says where, and what was expected. */
export function pasted(text: string): Pasted {
  const source = withoutFence(text);
  if (source.body.trim() === '')
    return { ok: false, message: 'Paste a model’s response, or the part of it that holds the calls.' };
  const parsed = parseJson(source.body);
  if (!parsed.ok)
    return { ok: false, message: parsed.message, line: parsed.line + source.skipped, column: parsed.column };
  try {
    const calls = callsOf(parsed.value);
    if (calls.length === 0) return { ok: false, message: nothingIn(parsed.value) };
    return { ok: true, format: formatOf(parsed.value, calls), calls: calls.map(draftOf) };
  } catch (error) {
    if (!(error instanceof ToolstreamError)) throw error;
    return { ok: false, message: `${error.message} ${EXPECTED}` };
  }
}

const EXPECTED =
  'A call has an id and a name, and its arguments: as OpenAI’s chat or Responses API, Anthropic’s Messages API, or this service writes them.';

/** Models like to put JSON between three backticks. */
function withoutFence(text: string): { readonly body: string; readonly skipped: number } {
  const fence = /^\s*```[a-z]*[^\S\n]*\n([\s\S]*?)\n?```\s*$/.exec(text);
  if (!fence) return { body: text, skipped: 0 };
  return { body: fence[1]!, skipped: text.slice(0, text.indexOf('```')).split('\n').length };
}

function nothingIn(value: unknown): string {
  const { choices, content, output, error } = (value ?? {}) as Record<string, unknown>;
  if (error !== undefined && error !== null)
    return 'This is an error that the model’s API answered with: it holds no calls.';
  if (choices !== undefined || content !== undefined || output !== undefined)
    return 'The response is understood, and asks for no tool: there is nothing to run.';
  return `No tool calls are in this JSON. ${EXPECTED}`;
}

/** Any of the three shapes. A model's arguments are a text that holds JSON more often than not. */
function draftOf(call: WireCall): PastedCall {
  const [name, args] =
    'function' in call
      ? [call.function.name, call.function.arguments]
      : [call.name, 'type' in call ? call.input : call.arguments];
  const { depends_on = [], timeout_ms } = 'function' in call || 'type' in call ? {} : call;
  return {
    id: call.id,
    name,
    text: argumentsText(args),
    waits_for: depends_on,
    ...(timeout_ms === undefined ? {} : { timeout_ms }),
  };
}

/** Broken arguments stay as the model wrote them, to be put right. */
function argumentsText(args: Json | undefined): string {
  if (args === undefined || args === null || args === '') return '{}';
  if (typeof args !== 'string') return jsonText(args);
  const parsed = parseJson(args);
  return parsed.ok ? jsonText(parsed.value) : args;
}

function formatOf(value: unknown, calls: readonly WireCall[]): AnswerFormat {
  if (isResponses(value)) return 'openai-responses';
  const [first] = calls;
  if (first !== undefined && 'function' in first) return 'openai';
  return first !== undefined && 'type' in first ? 'anthropic' : 'native';
}

function isResponses(value: unknown): boolean {
  const parts = Array.isArray(value) ? value : (value as { output?: unknown } | null)?.output;
  return Array.isArray(parts) && parts.some((part) => (part as { type?: unknown } | null)?.type === 'function_call');
}
