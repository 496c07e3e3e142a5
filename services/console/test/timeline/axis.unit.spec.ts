import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { elapsed, sinceStart } from '../../src/views/timeline/model/elapsed.ts';
import { ticks } from '../../src/views/timeline/model/ticks.ts';
import { fit, pan, reveal, shareOf, timeAt, type Viewport, zoom } from '../../src/views/timeline/model/viewport.ts';

const extent: Viewport = { from: 1_000_000, to: 1_100_000 };
const inExtent = fc.integer({ min: extent.from, max: extent.to });

describe('the part of the axis that is seen', () => {
  it('stays within everything, and keeps its width when it is moved', () => {
    const move = fc.record({
      factor: fc.double({ min: 0.1, max: 10, noNaN: true }),
      anchor: inExtent,
      by: fc.integer({ min: -1e6, max: 1e6 }),
    });
    fc.assert(
      fc.property(fc.array(move, { maxLength: 20 }), (moves) => {
        const all = fit(extent);
        let view = all;
        for (const { factor, anchor, by } of moves) {
          view = zoom(view, factor, Math.min(Math.max(anchor, view.from), view.to), extent);
          const moved = pan(view, by, extent);
          expect(moved.to - moved.from).toBeCloseTo(view.to - view.from, 3);
          view = moved;
          expect(view.from).toBeGreaterThanOrEqual(all.from - 1e-3);
          expect(view.to).toBeLessThanOrEqual(all.to + 1e-3);
          expect(view.to - view.from).toBeGreaterThanOrEqual(10 - 1e-3);
        }
      }),
      { seed: 3 },
    );
  });

  it('is zoomed about the place that is pointed at', () => {
    const view = { from: 1_020_000, to: 1_060_000 };
    const anchor = 1_030_000;
    expect(shareOf(zoom(view, 0.5, anchor, extent), anchor)).toBeCloseTo(shareOf(view, anchor));
  });

  it('is everything again when what was zoomed in is zoomed out, whatever the numbers', () => {
    const run = fc.record({
      from: fc.integer({ min: 1.7e12, max: 1.9e12 }),
      width: fc.integer({ min: 100, max: 1e8 }),
    });
    fc.assert(
      fc.property(run, fc.double({ min: 0, max: 1, noNaN: true }), ({ from, width }, share) => {
        const lasted = { from, to: from + width };
        const all = fit(lasted);
        const near = zoom(all, 0.5, timeAt(all, share), lasted);
        expect(zoom(near, 2, timeAt(near, 0.5), lasted)).toEqual(all);
      }),
      { seed: 4 },
    );
  });

  it('follows a moment that lies outside, and does not move for one inside', () => {
    const view = { from: 1_020_000, to: 1_030_000 };
    expect(reveal(view, 1_025_000, extent)).toBe(view);
    for (const time of [1_000_000, 1_099_999]) {
      const shown = reveal(view, time, extent);
      expect(shown.from).toBeLessThanOrEqual(time);
      expect(shown.to).toBeGreaterThanOrEqual(time);
    }
  });

  it('maps shares and times onto each other', () => {
    fc.assert(
      fc.property(inExtent, (time) => {
        expect(timeAt(extent, shareOf(extent, time))).toBeCloseTo(time, 3);
      }),
      { seed: 5 },
    );
  });

  it('of a run without duration has a width all the same', () => {
    const all = fit({ from: 5, to: 5 });
    expect(all.to).toBeGreaterThan(all.from);
    expect(Number.isFinite(shareOf(all, 5))).toBe(true);
  });
});

describe('ticks', () => {
  it.each([
    [{ from: 0, to: 90 }, ['0', '10 ms', '20 ms', '30 ms', '40 ms', '50 ms', '60 ms', '70 ms', '80 ms', '90 ms']],
    [
      { from: 0, to: 2_000 },
      ['0', '200 ms', '400 ms', '600 ms', '800 ms', '1.0 s', '1.2 s', '1.4 s', '1.6 s', '1.8 s', '2.0 s'],
    ],
    [
      { from: 0, to: 60_000 },
      ['0', '5 s', '10 s', '15 s', '20 s', '25 s', '30 s', '35 s', '40 s', '45 s', '50 s', '55 s', '1:00'],
    ],
    [
      { from: 0, to: 3_600_000 },
      [
        '0',
        '5:00',
        '10:00',
        '15:00',
        '20:00',
        '25:00',
        '30:00',
        '35:00',
        '40:00',
        '45:00',
        '50:00',
        '55:00',
        '1:00:00',
      ],
    ],
    [
      { from: 86_400_000, to: 86_400_000 * 1.5 },
      [
        '1 d 0:00:00',
        '1 d 1:00:00',
        '1 d 2:00:00',
        '1 d 3:00:00',
        '1 d 4:00:00',
        '1 d 5:00:00',
        '1 d 6:00:00',
        '1 d 7:00:00',
        '1 d 8:00:00',
        '1 d 9:00:00',
        '1 d 10:00:00',
        '1 d 11:00:00',
        '1 d 12:00:00',
      ],
    ],
  ])('of %o are at round durations since the beginning', (view, labels) => {
    const origin = 1_764_000_123_456;
    const shown = ticks({ from: origin + view.from, to: origin + view.to }, origin, 10);
    expect(shown.map(({ label }) => label)).toEqual(labels);
    expect(shown[0]!.at).toBe(origin + view.from);
  });

  it('are inside, grow, are not many and do not say the same twice', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 1e9 }),
        fc.integer({ min: 10, max: 1e9 }),
        fc.integer({ min: 1, max: 20 }),
        (from, width, count) => {
          const shown = ticks({ from, to: from + width }, 0, count);
          expect(shown.length).toBeLessThanOrEqual(count * 3 + 1);
          shown.forEach(({ at }, index) => {
            expect(at).toBeGreaterThanOrEqual(from);
            expect(at).toBeLessThanOrEqual(from + width);
            if (index > 0) expect(at).toBeGreaterThan(shown[index - 1]!.at);
          });
          expect(new Set(shown.map(({ label }) => label)).size).toBe(shown.length);
        },
      ),
      { seed: 9 },
    );
  });

  it('say as much as they need to', () => {
    expect([elapsed(1_250, 50), elapsed(1_250, 1_000), elapsed(61_500, 500), elapsed(3_661_000, 1_000)]).toEqual([
      '1.25 s',
      '1 s',
      '1:01.5',
      '1:01:01',
    ]);
  });

  it('count from the beginning, and nothing before it', () => {
    const origin = 1_764_000_123_456;
    expect([-5, 0, 1_239, 59_999, 60_500, 119_700].map((ms) => sinceStart(origin + ms, origin))).toEqual([
      '0',
      '0',
      '1.23 s',
      '59.99 s',
      '1:00',
      '1:59',
    ]);
  });
});
