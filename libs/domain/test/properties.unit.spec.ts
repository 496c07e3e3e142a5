import { isRunEnded, isToolEnded, RUN_END_TYPES, type RunState, runState } from '@toolstream/proto-events';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { controlOf, evolve, evolveControl, FREE, fold, type Recorded, type RunControl } from '../src/index.ts';
import { act, history, play } from './histories.ts';

const SEED = 20_261;
function expectLegal(state: RunState): void {
  expect(runState.safeParse(state).success).toBe(true);
  for (const tool of state.tools) {
    expect(tool.ended_at !== undefined).toBe(isToolEnded(tool.status));
    if (tool.status === 'running') expect(tool.attempt).toBeGreaterThan(0);
    expect(tool.claimed_dispatch).toBeLessThanOrEqual(tool.dispatch);
  }
  expect(state.status === 'paused').toBe(state.paused_at !== undefined);
  if (isRunEnded(state.status)) {
    expect(state.tools.every((tool) => isToolEnded(tool.status))).toBe(true);
    expect(state.summary?.total).toBe(state.tools.length);
    expect(state.status === 'succeeded').toBe(state.tools.every((tool) => tool.status === 'succeeded'));
  } else {
    expect(state.summary).toBeUndefined();
  }
}

const check = <T>(arbitrary: fc.Arbitrary<T>, property: (value: T) => void, numRuns: number): void =>
  fc.assert(fc.property(arbitrary, property), { seed: SEED, numRuns });

describe('Whatever the actors do', () => {
  it('every prefix of the log folds to a legal state', () => {
    check(
      history,
      (h) => {
        let state: RunState | undefined;
        for (const recorded of play(h).log) {
          state = evolve(state, recorded);
          expectLegal(state!);
        }
      },
      600,
    );
  });
  it('the run ends, once, and nothing follows its end', () => {
    check(
      history,
      (h) => {
        const world = play(h);
        world.settle();
        const ends = world.log.filter((r) => RUN_END_TYPES.has(r.event.type));
        expect(ends).toHaveLength(1);
        const length = world.log.length;
        // Whoever is left tries once more: zombies, duplicate jobs, late commands, a stale orchestrator.
        for (const a of h.actions) act(world, a);
        expect(world.log.length).toBe(length);
        expect(RUN_END_TYPES.has(world.log.at(-1)!.event.type)).toBe(true);
      },
      600,
    );
  });
  it('no attempt’s end counts twice', () => {
    check(
      history,
      (h) => {
        const world = play(h);
        world.settle();
        const ends = world.log.filter((r) => r.event.type === 'tool.succeeded.v1');
        const keys = ends.map((r) => `${r.event.toolindex}/${r.event.attempt}`);
        expect(new Set(keys).size).toBe(keys.length);
      },
      300,
    );
  });
  it('an executor that reads the run’s subject alone obeys the same state', () => {
    check(
      history,
      (h) => {
        const { log } = play(h);
        const control = log.reduce<RunControl>((c, r) => evolveControl(c, r.event), FREE);
        const state = fold(log)!;
        const sorted = (c: RunControl) => ({ ...c, cancelled_tools: [...c.cancelled_tools].sort() });
        if (!isRunEnded(state.status)) expect(sorted(control)).toEqual(sorted(controlOf(state)));
        expect(control.ended).toBe(isRunEnded(state.status));
      },
      300,
    );
  });
});

describe('Whatever the delivery does', () => {
  const scrambled = fc.record({ h: history, repeats: fc.array(fc.tuple(fc.nat(200), fc.nat(10)), { maxLength: 20 }) });
  it('redelivered events change nothing', () => {
    check(
      scrambled,
      ({ h, repeats }) => {
        const { log } = play(h);
        const delivered: Recorded[] = [...log];
        for (const [start, length] of repeats) {
          const from = start % log.length;
          // An at-least-once consumer goes back and delivers a stretch again, in order.
          const position = delivered.indexOf(log[from]!);
          delivered.splice(position + 1 + length, 0, ...log.slice(0, from + 1).slice(-length));
        }
        const seen = new Set<number>();
        const inOrder = delivered.filter((r) => {
          const first = !seen.has(r.seq);
          seen.add(r.seq);
          return first;
        });
        // Only repetitions are at play here, never a reordering of first deliveries.
        fc.pre(inOrder.every((r, i) => r === log[i]));
        expect(fold(delivered)).toEqual(fold(log));
      },
      400,
    );
  });
  it('a snapshot taken anywhere and folded on gives the same', () => {
    check(
      fc.record({ h: history, cut: fc.nat(100) }),
      ({ h, cut }) => {
        const { log } = play(h);
        const at = 1 + (cut % log.length);
        const snapshot = JSON.parse(JSON.stringify(fold(log.slice(0, at)))) as RunState;
        expect(JSON.stringify(fold(log.slice(at), snapshot))).toEqual(JSON.stringify(fold(log)));
      },
      400,
    );
  });
  it('any order of any events folds to a legal state or none', () => {
    check(
      fc.record({ h: history, order: fc.infiniteStream(fc.nat(1000)) }),
      ({ h, order }) => {
        const { log } = play(h);
        const [first, ...rest] = log;
        const shuffled = rest.map((r) => [order.next().value as number, r.event] as const).sort((a, b) => a[0] - b[0]);
        const state = fold([first!, ...shuffled.map(([, event], i) => ({ event, seq: i + 2 }))]);
        for (const tool of state!.tools) expect(tool.ended_at !== undefined).toBe(isToolEnded(tool.status));
        expect(runState.safeParse(state).success).toBe(true);
      },
      300,
    );
  });
});
