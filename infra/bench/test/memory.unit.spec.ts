import { describe, expect, it } from 'vitest';
import { peakDuring, residentBytes, settledBytes } from '../src/memory.ts';

/** Above what any system counts up to. */
const NOBODY = 2 ** 30;

describe('the memory of a process that is not there', () => {
  it('is told as an error that says what is needed', async () => {
    expect(() => residentBytes(NOBODY)).toThrow('no_memory_figures');
    await expect(peakDuring(NOBODY, async () => {})).rejects.toThrow('no_memory_figures');
    await expect(settledBytes(NOBODY)).rejects.toThrow();
  });
});
