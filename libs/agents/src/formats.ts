import { type ResultsFormat, ToolstreamError } from '@toolstream/client';
import type { RunStatus, ToolError, ToolStatus } from '@toolstream/proto-events';

/** What goes back to the model, per format: one message for each call, or for all of them where the API wants that. */
export interface MessageOf {
  readonly openai: OpenAiToolMessage;
  readonly 'openai-responses': FunctionCallOutput;
  readonly anthropic: ToolResultsMessage;
  readonly native: NativeResult;
}

export interface OpenAiToolMessage {
  role: 'tool';
  tool_call_id: string;
  content: string;
}
export interface FunctionCallOutput {
  type: 'function_call_output';
  call_id: string;
  output: string;
}
export interface ToolResultsMessage {
  role: 'user';
  content: { type: 'tool_result'; tool_use_id: string; content: string; is_error?: true }[];
}
export interface NativeResult {
  index: number;
  call_id: string;
  name: string;
  status: ToolStatus;
  result?: unknown;
  error?: ToolError;
}

/** The format that a model's response asks for, as far as its type tells. */
export type FormatOf<R> = R extends { choices: readonly unknown[] }
  ? 'openai'
  : R extends { output: readonly unknown[] }
    ? 'openai-responses'
    : R extends { role: 'assistant'; content: readonly unknown[] }
      ? 'anthropic'
      : R extends { tool_calls: readonly unknown[] }
        ? 'openai'
        : ResultsFormat;

/** A run that has ended, and what the model is to be told of it. */
export interface Answered<F extends ResultsFormat = ResultsFormat> {
  readonly run_id: string;
  readonly status: RunStatus;
  readonly format: F;
  /** In call order, every call answered: append them behind the model's own message. */
  readonly messages: MessageOf[F][];
}

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields => (typeof value === 'object' && value !== null ? (value as Fields) : {});

/** The format that a model's response was written in: the one that its API wants the results back in. */
export function formatOf(response: unknown): ResultsFormat {
  const { choices, tool_calls, message, output, content } = fieldsOf(response);
  if (Array.isArray(choices) || Array.isArray(tool_calls) || Array.isArray(fieldsOf(message).tool_calls))
    return 'openai';
  if (Array.isArray(output)) return 'openai-responses';
  if (Array.isArray(content)) return 'anthropic';
  const { type } = fieldsOf(Array.isArray(response) ? response[0] : undefined);
  if (type === 'function') return 'openai';
  if (type === 'function_call') return 'openai-responses';
  return type === 'tool_use' ? 'anthropic' : 'native';
}

/** The id that the model's API gave its response; `undefined` for a part of one. */
export function idOf(response: unknown): string | undefined {
  const { id } = fieldsOf(response);
  return typeof id === 'string' && id.length > 0 ? id : undefined;
}

/**
 * A response that was cut off, by a limit of tokens or a filter, may hold half a call whose arguments still parse. Running it
 * would do what nobody asked for.
 */
export function requireWhole(response: unknown): void {
  const { choices, stop_reason, status, incomplete_details } = fieldsOf(response);
  const { finish_reason } = fieldsOf(Array.isArray(choices) ? choices[0] : undefined);
  const cut = [finish_reason, stop_reason].find((reason) => CUT_OFF.has(reason as string));
  const why = cut ?? (status === 'incomplete' ? (fieldsOf(incomplete_details).reason ?? status) : undefined);
  if (why === undefined) return;
  throw new ToolstreamError(
    'response_cut_off',
    `The model's response was cut off (${String(why)}), so its tool calls are not run: ask for it again with more room.`,
  );
}

const CUT_OFF: ReadonlySet<string> = new Set([
  'length',
  'content_filter',
  'max_tokens',
  'model_context_window_exceeded',
]);
