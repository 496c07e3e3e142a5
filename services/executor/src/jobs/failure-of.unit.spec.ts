import { ToolFailure } from '@toolstream/tool-kit';
import { describe, expect, it } from 'vitest';
import { ToolCrashed } from '../isolation/runner.ts';
import { failureOf } from './failure-of.ts';

describe('what a failed attempt says', () => {
  it('is what the tool says, and only the tool says whether to retry', () => {
    const failure = new ToolFailure({ code: 'no_luck', message: 'Not today.', details: { a: 1 } });
    expect(failureOf(failure, true)).toEqual({
      error: { code: 'no_luck', message: 'Not today.', details: { a: 1 } },
      retryable: false,
    });
  });

  it('is a tool error for whatever else it throws, retried if the tool is idempotent', () => {
    expect(failureOf(new TypeError('x'), true)).toEqual({
      error: { code: 'tool_error', message: 'TypeError: x' },
      retryable: true,
    });
    expect(failureOf('just text', false)).toEqual({
      error: { code: 'tool_error', message: 'just text' },
      retryable: false,
    });
  });

  it('is a crash when the thread is gone, and of its own kind when it ran out of memory', () => {
    expect(failureOf(new ToolCrashed('gone'), true)).toMatchObject({
      error: { code: 'tool_crashed' },
      retryable: true,
    });
    expect(failureOf(new ToolCrashed('gone', { outOfMemory: true }), true)).toMatchObject({
      error: { code: 'out_of_memory' },
      retryable: false,
    });
  });

  it('keeps messages within reason', () => {
    expect(failureOf(new Error('x'.repeat(100_000)), true).error.message).toHaveLength(8192);
  });
});
