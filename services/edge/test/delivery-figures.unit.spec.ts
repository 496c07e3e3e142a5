import { DELIVERY_SLOT_MS, deliveryQueryReply, type EdgeDelivery, LAG_BOUNDS_MS } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { emptyCounts, recordLag } from '../src/delivery/counts.ts';
import { DeliveryRecorder } from '../src/delivery/recorder.ts';
import { together } from '../src/delivery/together.ts';
import { Dice } from './fuzz/dice.ts';

const HOUR = 3_600_000;
const T0 = Date.UTC(2026, 5, 1);

describe('A delay', () => {
  it('is counted in the first cell that it fits in, and the longest and the sum are kept', () => {
    const { relayed } = emptyCounts();
    for (const ms of [-5, 0, 1, 1.5, 30_000, 30_001]) recordLag(relayed, ms);
    expect(relayed.cells[0]).toBe(3);
    expect(relayed.cells[1]).toBe(1);
    expect(relayed.cells.at(-2)).toBe(1);
    expect(relayed.cells.at(-1)).toBe(1);
    expect(relayed.cells).toHaveLength(LAG_BOUNDS_MS.length + 1);
    expect(relayed).toMatchObject({ max_ms: 30_001, sum_ms: 60_003.5 });
  });
});

describe('The recorder of one edge', () => {
  it('counts in parts that begin at multiples of their length, and leaves out empty ones', () => {
    let now = T0 + 5_000;
    const recorder = new DeliveryRecorder(() => now);
    recorder.counts.joined.cursor++;
    now = T0 + 25_000;
    recorder.counts.joined.cursor += 2;
    now = T0 + 31_000;
    recorder.counts.joined.cursor += 4;
    const of = (window_ms: number, bucket_ms: number) =>
      recorder.buckets({ window_ms, bucket_ms }).map(({ at, counts }) => [Date.parse(at) - T0, counts.joined.cursor]);
    expect(of(60_000, 10_000)).toEqual([
      [0, 1],
      [20_000, 2],
      [30_000, 4],
    ]);
    expect(of(60_000, 30_000)).toEqual([
      [0, 3],
      [30_000, 4],
    ]);
    // The part that the window begins in is whole.
    expect(of(10_000, 10_000)).toEqual([
      [20_000, 2],
      [30_000, 4],
    ]);
    now = T0 + HOUR;
    expect(of(60_000, 10_000)).toEqual([]);
  });

  it('keeps an hour and no more, whatever the clock does', () => {
    const dice = new Dice(11);
    let now = T0;
    const recorder = new DeliveryRecorder(() => now);
    for (let i = 0; i < 2_000; i++) {
      now += DELIVERY_SLOT_MS;
      // Now and then the clock is set, back or forth.
      if (i % 100 === 99) now += (dice.int(200) - 100) * 1_000;
      recorder.counts.history_reads++;
    }
    const buckets = recorder.buckets({ window_ms: HOUR, bucket_ms: DELIVERY_SLOT_MS });
    expect(buckets.length).toBeLessThanOrEqual(HOUR / DELIVERY_SLOT_MS + 1);
    expect(buckets.length).toBeGreaterThan(300);
    expect(recorder.size).toBeLessThanOrEqual(HOUR / DELIVERY_SLOT_MS + 1);
  });
});

describe('The figures of several edges', () => {
  const edge = (instance: string, parts: readonly [at: number, lag: number][]): EdgeDelivery => ({
    id: instance,
    instance,
    started_at: new Date(T0).toISOString(),
    now: { sockets: 1, streams: 0, subscriptions: 1, feeds: 1, waiting_bytes: 0 },
    buckets: parts.map(([at, lag]) => {
      const counts = emptyCounts();
      recordLag(counts.relayed, lag);
      counts.snapshots.slow++;
      counts.gaps.repaired += 2;
      return { at: new Date(T0 + at).toISOString(), counts };
    }),
  });

  it('are added part by part, oldest first, and each edge keeps its own delays', () => {
    const report = together([
      edge('edge-2', [
        [0, 4],
        [20_000, 40],
      ]),
      edge('edge-1', [
        [0, 400],
        [10_000, 1],
      ]),
    ]);
    expect(report.buckets.map(({ at, counts }) => [Date.parse(at) - T0, counts.snapshots.slow])).toEqual([
      [0, 2],
      [10_000, 1],
      [20_000, 1],
    ]);
    expect(report.total).toMatchObject({ snapshots: { slow: 4 }, gaps: { repaired: 8 } });
    expect(report.total.relayed).toMatchObject({ sum_ms: 445, max_ms: 400 });
    expect(report.edges.map(({ instance, relayed }) => [instance, relayed.sum_ms])).toEqual([
      ['edge-1', 401],
      ['edge-2', 44],
    ]);
    expect(together([]).total).toEqual(emptyCounts());
  });

  it('stay what the contract says', () => {
    expect(deliveryQueryReply.parse(edge('edge-1', [[0, 1]]))).toEqual(edge('edge-1', [[0, 1]]));
  });
});
