import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { barAt, step } from '../../src/views/timeline/chart/pick.ts';
import { Columns } from '../../src/views/timeline/model/columns.ts';
import { density } from '../../src/views/timeline/model/density.ts';
import { Playhead } from '../../src/views/timeline/model/playhead.ts';
import type { Span } from '../../src/views/timeline/model/spans.ts';

const bar = (call: number, from: number, to?: number): Span => ({
  call,
  kind: 'running',
  attempt: 1,
  dispatch: 1,
  first: 0,
  from,
  ...(to === undefined ? {} : { to }),
});
const calls = [
  [bar(0, 0, 10), bar(0, 10, 20)],
  [bar(1, 0, 5), bar(1, 5, 18), bar(1, 18)],
];
const NOW = 40;

describe('arrow keys', () => {
  it('go along a call and stop at its ends', () => {
    const first = step(calls, undefined, 'down', NOW);
    expect(first).toEqual({ call: 0, place: 0 });
    expect(step(calls, first, 'left', NOW)).toEqual(first);
    expect(step(calls, first, 'right', NOW)).toEqual({ call: 0, place: 1 });
    expect(step(calls, { call: 1, place: 0 }, 'last', NOW)).toEqual({ call: 1, place: 2 });
    expect(step(calls, { call: 1, place: 2 }, 'first', NOW)).toEqual({ call: 1, place: 0 });
  });

  it('go to the bar of the next call that lies nearest in time', () => {
    expect(step(calls, { call: 0, place: 1 }, 'down', NOW)).toEqual({ call: 1, place: 1 });
    expect(step(calls, { call: 1, place: 2 }, 'up', NOW)).toEqual({ call: 0, place: 1 });
    expect(step(calls, { call: 1, place: 2 }, 'down', NOW)).toEqual({ call: 1, place: 2 });
  });

  it('of a run without calls go nowhere', () => {
    expect(step([], undefined, 'down', NOW)).toBeUndefined();
  });
});

describe('the bar under the pointer', () => {
  it('is the one at that time, of two that touch the later, and one that goes on until now', () => {
    expect([4, 10, 19].map((time) => barAt(calls[0], time, 0, NOW))).toEqual([0, 1, 1]);
    expect([30, 41].map((time) => barAt(calls[1], time, 0, NOW))).toEqual([2, undefined]);
  });

  it('is one near by, for narrow bars', () => {
    expect([23, 26].map((time) => barAt(calls[0], time, 5, NOW))).toEqual([1, undefined]);
    expect(barAt([], 3, 5, NOW)).toBeUndefined();
  });
});

const columnsOf = (times: readonly number[]): Columns => {
  const columns = new Columns();
  times.forEach((time, index) => {
    columns.push(index + 1, time, 'tool.progressed.v1', 0);
  });
  return columns;
};

describe('playing a run', () => {
  it('shows every event at its time, faster', () => {
    const head = new Playhead(columnsOf([0, 400, 800, 900]), 0);
    const seen = [100, 100, 100, 100].map((ms) => {
      head.advance(ms, 4);
      return head.index;
    });
    expect(seen).toEqual([1, 2, 3, 3]);
  });

  it('cuts long waits short, and is not stopped by clocks that run back', () => {
    const head = new Playhead(columnsOf([0, 3_600_000, 3_599_000, 3_600_000]), 0);
    expect(head.advance(999, 1)).toBe(false);
    expect(head.advance(1, 1)).toBe(true);
    expect(head.index).toBe(2);
  });

  it('comes to the end, whatever the frames', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 100_000 }), { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 1, max: 200 }),
        (times, frame) => {
          const head = new Playhead(columnsOf(times), 0);
          let before = 0;
          for (let ms = 0; ms <= times.length * 1_000 + 200; ms += frame) {
            head.advance(frame, 16);
            expect(head.index).toBeGreaterThanOrEqual(before);
            before = head.index;
          }
          expect(head.index).toBe(times.length - 1);
        },
      ),
      { seed: 21, numRuns: 50 },
    );
  });
});

it('the strip counts every event once, also those at and beyond its edges', () => {
  const counts = density(columnsOf([-5, 0, 1, 49, 50, 99, 100, 130]), 0, 100, 4);
  expect(counts).toEqual([3, 1, 1, 3]);
});
