import { type DeliveryReport, LAG_BOUNDS_MS } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { beginnings, gaps, ladder, snapshots } from '../../src/views/delivery/model/causes.ts';
import { atMost, bars, meanOf, samplesOf } from '../../src/views/delivery/model/histogram.ts';
import { deliveryRows } from '../../src/views/delivery/model/over-time.ts';
import { deliverySearch } from '../../src/views/delivery/search.ts';

const histogram = (counts: Readonly<Record<number, number>>, max_ms = 40_000, sum_ms = 0) => ({
  cells: [...LAG_BOUNDS_MS, Number.POSITIVE_INFINITY].map((bound) => counts[bound] ?? 0),
  sum_ms,
  max_ms,
});
const empty = histogram({}, 0);
const none: DeliveryReport['total'] = {
  relayed: empty,
  acknowledged: empty,
  joined: { snapshot: 0, start: 0, cursor: 0 },
  gaps: { repaired: 0, snapshot: 0 },
  snapshots: { cold: 0, gap: 0, slow: 0, epoch: 0 },
  slow: { fold: 0, snapshot: 0, close: 0 },
  connections: { accepted: 0, refused: 0 },
  closed: 0,
  history_reads: 0,
};

describe('A histogram', () => {
  it('says what a part of the samples did not exceed, never finer than it was measured', () => {
    const counted = histogram({ 1: 90, 5: 9, 250: 1 }, 180);
    expect(samplesOf(counted)).toBe(100);
    expect(atMost(counted, LAG_BOUNDS_MS, 0.5)).toBe(1);
    expect(atMost(counted, LAG_BOUNDS_MS, 0.95)).toBe(5);
    expect(atMost(counted, LAG_BOUNDS_MS, 1)).toBe(180);
    expect(atMost(histogram({ [Number.POSITIVE_INFINITY]: 2 }), LAG_BOUNDS_MS, 0.5)).toBe(40_000);
    expect(atMost(empty, LAG_BOUNDS_MS, 0.5)).toBeUndefined();
    expect(meanOf(empty)).toBeUndefined();
    expect(meanOf(histogram({ 1: 2 }, 1, 3))).toBe(1.5);
  });

  it('has a bar for every cell, named by what it holds', () => {
    const drawn = bars(histogram({ 2: 7 }), LAG_BOUNDS_MS);
    expect(drawn).toHaveLength(LAG_BOUNDS_MS.length + 1);
    expect(drawn[1]).toEqual({ label: '≤ 2 ms', samples: 7 });
    expect(drawn.at(-1)?.label).toBe('over 30 s');
  });
});

describe('The window', () => {
  it('is drawn part by part, quiet ones among them', () => {
    const report = {
      at: '2026-01-01T00:01:05.000Z',
      window_ms: 30_000,
      bucket_ms: 10_000,
      lag_bounds_ms: [...LAG_BOUNDS_MS],
      buckets: [
        {
          at: '2026-01-01T00:00:50.000Z',
          counts: {
            ...none,
            relayed: histogram({ 3: 4 }, 3),
            joined: { ...none.joined, cursor: 2 },
            gaps: { repaired: 1, snapshot: 0 },
            snapshots: { cold: 5, gap: 1, slow: 2, epoch: 0 },
          },
        },
      ],
    };
    const rows = deliveryRows(report as unknown as DeliveryReport);
    expect(rows.map(({ at }) => new Date(at).toISOString().slice(17, 19))).toEqual(['30', '40', '50', '00']);
    expect(rows[2]).toMatchObject({ relayed: 4, lag_p95_ms: 3, returns: 2, repaired: 1, lost_steps: 3 });
    expect(rows[0]).toMatchObject({ relayed: 0, lag_p95_ms: undefined, returns: 0 });
  });

  it('is what the address says', () => {
    expect(deliverySearch({ window: '1h' })).toEqual({ window: '1h' });
    expect(deliverySearch({ window: '15m' })).toEqual({});
    expect(deliverySearch({ window: 'valueOf' })).toEqual({});
  });
});

describe('The causes', () => {
  it('are all that is counted, each with its number', () => {
    const total = {
      ...none,
      joined: { snapshot: 1, start: 2, cursor: 3 },
      gaps: { repaired: 4, snapshot: 5 },
      snapshots: { cold: 6, gap: 7, slow: 8, epoch: 9 },
      slow: { fold: 10, snapshot: 11, close: 12 },
    };
    const numbers = (causes: readonly { id: string; count: number }[]) =>
      Object.fromEntries(causes.map(({ id, count }) => [id, count]));
    expect(numbers(beginnings(total))).toEqual(total.joined);
    expect(numbers(gaps(total))).toEqual(total.gaps);
    expect(numbers(snapshots(total))).toEqual(total.snapshots);
    expect(numbers(ladder(total))).toEqual(total.slow);
  });
});
