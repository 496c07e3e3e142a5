import { isRunId, partitionOfRun } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { newRunId } from './run-ids.ts';

describe('the id of a run without a key', () => {
  it('is a new one every time', () => {
    const ids = Array.from({ length: 1_000 }, () => newRunId(2));
    expect(new Set(ids).size).toBe(1_000);
    expect(ids.every((id) => isRunId(id) && (partitionOfRun(id) ?? 9) < 2)).toBe(true);
  });
});
