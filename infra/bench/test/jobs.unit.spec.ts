import { describe, expect, it } from 'vitest';
import { nanosecondsOf, now, wallClockAhead } from '../src/clock.ts';
import { startDelays } from '../src/jobs/contender.ts';
import { startsIn } from '../src/jobs/toolstream.ts';

describe('delays to a start', () => {
  it('are counted from each job to its own first line, in milliseconds', () => {
    const sent = new Map([
      ['a', 1_000_000],
      ['b', 2_000_000],
      ['c', 3_000_000],
    ]);
    const starts = new Map([
      ['c', 4_000_000],
      ['a', 6_000_000],
      ['b', 4_500_000],
      ['of another turn', 0],
    ]);
    expect(startDelays(sent, starts)).toEqual({ p50: 2.5, p99: expect.closeTo(4.95) });
  });

  it('are not told when a job never started', () => {
    const sent = new Map([
      ['a', 1],
      ['b', 2],
    ]);
    expect(() => startDelays(sent, new Map([['a', 3]]))).toThrow('starts_missing: 1 of 2');
  });
});

describe('notes of starts', () => {
  it('leave out the line that is being written', () => {
    expect([...startsIn('0-0 100\n0-1 200\n0-2 3')]).toEqual([
      ['0-0', 100],
      ['0-1', 200],
    ]);
    expect(startsIn('').size).toBe(0);
  });
});

describe('the two clocks', () => {
  it('are told apart by a constant, never behind what the system says', () => {
    const ahead = wallClockAhead();
    const tick = Date.now() * 1e6;
    const told = now() + ahead;
    // Whole milliseconds, and this process may have been held up between the two looks.
    expect(told - tick).toBeGreaterThanOrEqual(-50_000);
    expect(told - tick).toBeLessThan(1e9);
  });

  it('understand what NATS writes, with or without a fraction', () => {
    const whole = Date.parse('2026-01-31T10:00:00Z') * 1e6;
    expect(nanosecondsOf('2026-01-31T10:00:00Z')).toBe(whole);
    expect(nanosecondsOf('2026-01-31T10:00:00.5Z') - whole).toBe(500_000_000);
    expect(nanosecondsOf('2026-01-31T10:00:00.123456789Z') - whole).toBeCloseTo(123_456_789, -4);
    expect(nanosecondsOf('yesterday')).toBeNaN();
  });
});
