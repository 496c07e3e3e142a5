import type { Json, ToolError } from '@toolstream/proto-events';
import { isToolFailure } from '@toolstream/tool-kit';
import { ToolCrashed } from '../isolation/runner.ts';

export interface Failure {
  readonly error: ToolError;
  readonly retryable: boolean;
}

const MESSAGE_CHARS = 8192;

/**
 * What a failed attempt says of itself. A tool's own failures say themselves whether to retry; for everything that
 * nobody foresaw, an idempotent tool may simply run again and another may not.
 */
export function failureOf(thrown: unknown, idempotent: boolean): Failure {
  if (isToolFailure(thrown))
    return { error: failure(thrown.code, thrown.message, thrown.details), retryable: thrown.retryable };
  if (thrown instanceof ToolCrashed) {
    // Again it would most likely need as much again.
    if (thrown.outOfMemory) return { error: failure('out_of_memory', thrown.message), retryable: false };
    return { error: failure('tool_crashed', thrown.message), retryable: idempotent };
  }
  const { name, message } = thrown instanceof Error ? thrown : new Error(String(thrown));
  const text = message || name || 'The tool threw an error without a message.';
  return { error: failure('tool_error', name === 'Error' ? text : `${name}: ${text}`), retryable: idempotent };
}

function failure(code: string, message: string, details?: Json): ToolError {
  return { code, message: message.slice(0, MESSAGE_CHARS), ...(details === undefined ? {} : { details }) };
}
