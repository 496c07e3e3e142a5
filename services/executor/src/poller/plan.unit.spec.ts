import { PRIORITIES } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jobSources } from './job-consumers.ts';
import { LONG_PULL_MS, planPulls, type Source, SWEEP_MS } from './plan.ts';
import { PRIORITY_WEIGHTS, WeightedChoice } from './weights.ts';

const fresh = (): Source[] => jobSources('default').map((source) => ({ ...source, heardAt: 0 }));
const named = (sources: Source[], name: string): Source => sources.find((source) => source.name === `default_${name}`)!;
const plan = (sources: Source[], free: number, now = 0) => planPulls(sources, free, new WeightedChoice(), now);
const sum = (pulls: { batch: number }[]) => pulls.reduce((total, { batch }) => total + batch, 0);

describe('a plan of pulls', () => {
  it('asks consumers that were silent for long, the high ones first where that is equal', () => {
    const pulls = plan(fresh(), 5, SWEEP_MS);
    expect(pulls.map(({ source, expiresMs }) => [source.priority, expiresMs])).toEqual([
      ['high', 0],
      ['high', 0],
      ['high', 0],
      ['high', 0],
      ['normal', 0],
    ]);
  });

  it('asks the longest silent first, so that nothing starves behind higher priorities', () => {
    const sources = fresh();
    named(sources, 'low_1').heardAt = -1;
    expect(plan(sources, 1, SWEEP_MS)[0]?.source.name).toBe('default_low_1');
  });

  it('takes all free slots to where messages are known to wait', () => {
    const sources = fresh();
    named(sources, 'normal_2').hint = 100;
    expect(plan(sources, 9)).toEqual([{ source: named(sources, 'normal_2'), batch: 9, expiresMs: 0 }]);
  });

  it('asks for no more than are known to wait, and leaves the rest to long pulls', () => {
    const sources = fresh();
    named(sources, 'low_0').hint = 2;
    const pulls = plan(sources, 8);
    expect(pulls[0]).toEqual({ source: named(sources, 'low_0'), batch: 2, expiresMs: 0 });
    expect(pulls.slice(1).every(({ batch, expiresMs }) => batch === 1 && expiresMs === LONG_PULL_MS)).toBe(true);
  });

  it('waits on half the free slots only, so that a burst finds the other half free', () => {
    expect(plan(fresh(), 8)).toHaveLength(4);
  });

  it('waits on every consumer when slots are plenty', () => {
    expect(plan(fresh(), 32)).toHaveLength(12);
  });

  it('keeps slots for what waits behind an open pull instead of waiting elsewhere', () => {
    const sources = fresh();
    Object.assign(named(sources, 'normal_2'), { hint: 5, open: 2 });
    expect(plan(sources, 3)).toEqual([]);
    expect(plan(sources, 4)).toHaveLength(1);
  });

  it('waits even with a single slot', () => {
    expect(plan(fresh(), 1)).toHaveLength(1);
  });

  it('waits first where work came from last', () => {
    const sources = fresh();
    named(sources, 'low_3').usedAt = 5;
    expect(plan(sources, 1)[0]?.source.name).toBe('default_low_3');
  });

  it('leaves a missing consumer alone until it is back', () => {
    const sources = fresh();
    for (const source of sources) source.blockedUntil = 1000;
    expect(plan(sources, 4, 999)).toEqual([]);
    expect(plan(sources, 4, 1000)).not.toEqual([]);
  });

  it('never exceeds the free slots and opens one pull per consumer at most, whatever the state', () => {
    const state = fc.array(
      fc.record({
        hint: fc.integer({ min: 0, max: 50 }),
        open: fc.integer({ min: 0, max: 3 }),
        heardAt: fc.integer({ min: 0, max: 300 }),
        usedAt: fc.integer({ min: 0, max: 300 }),
        blockedUntil: fc.constantFrom(0, 500),
      }),
      { minLength: 12, maxLength: 12 },
    );
    fc.assert(
      fc.property(state, fc.integer({ min: 0, max: 64 }), (states, free) => {
        const sources = fresh().map((source, i) => ({ ...source, ...states[i], covered: states[i]?.open === 1 }));
        const pulls = plan(sources, free, 300);
        expect(sum(pulls)).toBeLessThanOrEqual(free);
        expect(pulls.every(({ source, batch }) => batch > 0 && source.open === 0 && source.blockedUntil <= 300)).toBe(
          true,
        );
        expect(new Set(pulls.map(({ source }) => source.name)).size).toBe(pulls.length);
      }),
      { seed: 3, numRuns: 300 },
    );
  });
});

describe('a weighted choice', () => {
  const all = PRIORITIES.flatMap((priority) => [0, 1].map((bucket) => ({ priority, bucket })));

  it('divides by weight, and evenly among the buckets of a priority', () => {
    const choice = new WeightedChoice<(typeof all)[number]>();
    const counts = new Map<object, number>();
    for (let i = 0; i < 13 * 20; i++) {
      const chosen = choice.next(all)!;
      counts.set(chosen, (counts.get(chosen) ?? 0) + 1);
    }
    for (const candidate of all) {
      expect(counts.get(candidate)).toBe((PRIORITY_WEIGHTS[candidate.priority] * 20) / 2);
    }
  });

  it('gives everything to the only one that waits', () => {
    const choice = new WeightedChoice<(typeof all)[number]>();
    const only = [{ priority: 'low', bucket: 3 } as const];
    expect(Array.from({ length: 3 }, () => choice.next(only))).toEqual([only[0], only[0], only[0]]);
  });

  it('gives nothing when nothing waits', () => {
    expect(new WeightedChoice().next([])).toBeUndefined();
  });
});
