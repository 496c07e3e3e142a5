import { describe, expect, it } from 'vitest';
import { isClean, judge } from '../src/canary/verdict.ts';

const log = ['a', 'b', 'c', 'd'];

describe('the verdict on what a canary client received', () => {
  it('is clean when it is exactly what the log holds, in its order', () => {
    const verdict = judge(log, { ids: ['a', 'b', 'c', 'd'], breaches: [] });
    expect(verdict).toEqual({ delivered: 4, lost: 0, repeated: 0, disordered: 0, breaches: [] });
    expect(isClean(verdict)).toBe(true);
  });
  it.each([
    ['an event is missing', ['a', 'c', 'd'], { lost: 1, delivered: 3 }],
    ['an event came twice', ['a', 'b', 'b', 'c', 'd'], { repeated: 1 }],
    ['an event is not in the log', ['a', 'b', 'x', 'c', 'd'], { repeated: 1 }],
    ['two events changed places', ['a', 'c', 'b', 'd'], { disordered: 1 }],
  ])('is not clean when %s', (_, ids, expected) => {
    const verdict = judge(log, { ids, breaches: [] });
    expect(verdict).toMatchObject(expected);
    expect(isClean(verdict)).toBe(false);
  });
  it('is not clean after a jump that nothing announced', () => {
    expect(isClean(judge(log, { ids: log, breaches: ['prev 0:2 where 0:1 was expected'] }))).toBe(false);
  });
});
