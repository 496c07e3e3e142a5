import { describe, expect, it } from 'vitest';
import { alternate, quantile, ratiosOf, spreadOf, verdictOn } from '../src/pairs.ts';

describe('a spread', () => {
  it('has the median, the quartiles and the extremes of its rounds', () => {
    expect(spreadOf([5, 1, 3, 2, 4])).toEqual({ median: 3, min: 1, max: 5, q1: 2, q3: 4, rounds: 5 });
  });

  it('interpolates between ranks', () => {
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
    expect(quantile([10, 20], 0.99)).toBeCloseTo(19.9);
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('ratios', () => {
  it('are taken round by round, so a slow minute of the machine cancels out', () => {
    expect(ratiosOf([10, 100, 10], [20, 200, 20])).toEqual([0.5, 0.5, 0.5]);
  });

  it('need as many rounds of the floor as of ours', () => {
    expect(() => ratiosOf([1, 2], [1])).toThrow(RangeError);
  });
});

describe('a verdict', () => {
  const atMost = { sense: 'at_most', value: 1.5 } as const;
  const atLeast = { sense: 'at_least', value: 0.5 } as const;

  it('passes or is missed when the target lies outside the quartiles', () => {
    expect(verdictOn(spreadOf([1.1, 1.2, 1.3, 1.2, 1.2]), atMost)).toBe('pass');
    expect(verdictOn(spreadOf([1.9, 1.8, 2.3, 2, 2]), atMost)).toBe('missed');
    expect(verdictOn(spreadOf([0.7, 0.6, 0.8, 0.7, 0.7]), atLeast)).toBe('pass');
    expect(verdictOn(spreadOf([0.3, 0.2, 0.4, 0.3, 0.3]), atLeast)).toBe('missed');
  });

  it('is inconclusive when the target lies between the quartiles', () => {
    expect(verdictOn(spreadOf([1.2, 1.3, 1.4, 1.6, 1.7]), atMost)).toBe('inconclusive');
    expect(verdictOn(spreadOf([0.4, 0.4, 0.6, 0.7, 0.7]), atLeast)).toBe('inconclusive');
  });

  it('is not turned by one outlier', () => {
    expect(verdictOn(spreadOf([1.1, 1.2, 1.1, 1.2, 9]), atMost)).toBe('pass');
  });

  it('is met by a value that equals the target', () => {
    expect(verdictOn(spreadOf([1.5, 1.5, 1.5]), atMost)).toBe('pass');
    expect(verdictOn(spreadOf([0.5, 0.5, 0.5]), atLeast)).toBe('pass');
  });

  it('is inconclusive without a round', () => {
    expect(verdictOn(spreadOf([]), atMost)).toBe('inconclusive');
  });
});

describe('alternation', () => {
  it('lets the contenders take turns and leaves the warm-up out', async () => {
    const turns: string[] = [];
    let count = 0;
    const turn = (name: string) => async () => {
      turns.push(name);
      return count++;
    };
    const results = await alternate({ a: turn('a'), b: turn('b') }, { rounds: 2, warmUp: 1, restMs: 0 });
    expect(turns).toEqual(['a', 'b', 'a', 'b', 'a', 'b']);
    expect(results).toEqual({ a: [2, 4], b: [3, 5] });
  });
});
