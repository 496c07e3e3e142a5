import { describe, expect, it } from 'vitest';
import { fineDuration, span, tickTime } from './measures.ts';

describe('Measures', () => {
  it('are finer where they are small', () => {
    expect([0, 0.44, 9.94, 9.96, 1_500].map(fineDuration)).toEqual(['0 ms', '0.4 ms', '9.9 ms', '10 ms', '1.5 s']);
  });

  it('say round lengths of time roundly', () => {
    expect([5_000, 120_000, 12 * 3_600_000, 86_400_000, 1_500].map(span)).toEqual([
      '5 s',
      '2 min',
      '12 h',
      '1 d',
      '1.5 s',
    ]);
  });

  it('name an instant as exactly as the axis is', () => {
    const at = Date.UTC(2026, 0, 2, 3, 4, 5);
    expect(tickTime(at, { windowMs: 300_000, bucketMs: 10_000 })).toMatch(/^\d\d:\d\d:\d\d$/);
    expect(tickTime(at, { windowMs: 3_600_000, bucketMs: 120_000 })).toMatch(/^\d\d:\d\d$/);
    expect(tickTime(at, { windowMs: 7 * 86_400_000, bucketMs: 4 * 3_600_000 })).toMatch(/^\d{1,2} Jan$/);
  });
});
