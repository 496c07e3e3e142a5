import type { Json, RunState, ToolError, ToolStatus } from '@toolstream/proto-events';

export const RESULT_FORMATS = ['openai', 'openai-responses', 'anthropic', 'native'] as const;
export type ResultFormat = (typeof RESULT_FORMATS)[number];

/** One call's answer to the model; `result` and `error` exclude each other. */
export interface CallResult {
  readonly index: number;
  readonly call_id: string;
  readonly name: string;
  readonly status: ToolStatus;
  readonly result?: Json;
  readonly error?: ToolError;
}

/** Every call answered, in call order: a model refuses a turn of which one call has no answer. */
export function callResults(state: RunState): CallResult[] {
  return state.tools.map((tool) => {
    const call = { index: tool.index, call_id: tool.call_id, name: tool.name, status: tool.status };
    return tool.status === 'succeeded' ? { ...call, result: tool.result ?? null } : { ...call, error: errorOf(tool) };
  });
}

function errorOf(tool: RunState['tools'][number]): ToolError {
  switch (tool.status) {
    case 'cancelled':
      return { code: 'cancelled', message: tool.cancel?.reason ?? 'The tool call was cancelled.' };
    case 'skipped':
      return { code: 'skipped', message: tool.skip_reason ?? 'The tool call was skipped.' };
    case 'denied':
      return { code: 'denied', message: tool.approval?.comment ?? 'The tool call was denied.' };
    case 'failed':
      return tool.error ?? { code: 'tool_error', message: 'The tool call failed.' };
    default:
      return { code: 'not_finished', message: `The tool call has not finished: it is ${tool.status}.` };
  }
}

/** The answers as the messages that a model API takes. */
export function toMessages(calls: readonly CallResult[], format: ResultFormat): Json[] {
  switch (format) {
    case 'openai':
      return calls.map((call) => ({ role: 'tool', tool_call_id: call.call_id, content: contentOf(call) }));
    case 'openai-responses':
      return calls.map((call) => ({ type: 'function_call_output', call_id: call.call_id, output: contentOf(call) }));
    case 'anthropic':
      return [
        {
          role: 'user',
          content: calls.map((call) => ({
            type: 'tool_result',
            tool_use_id: call.call_id,
            content: contentOf(call),
            ...(call.error ? { is_error: true } : {}),
          })),
        },
      ];
    case 'native':
      return calls.map((call) => ({ ...call }) as unknown as Json);
  }
}

function contentOf(call: CallResult): string {
  if (call.error) return JSON.stringify({ error: call.error });
  return typeof call.result === 'string' ? call.result : JSON.stringify(call.result ?? null);
}
