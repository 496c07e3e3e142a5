import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Entry } from '../src/feeds/entry.ts';
import { Ring, RingBudget } from '../src/feeds/ring.ts';

const LIMITS = { entries: 8, bytes: 10_000 };

function entries(count: number, partitions = 1): Entry[] {
  let positions = Array.from({ length: partitions }, () => 0);
  return Array.from({ length: count }, (_, at) => {
    const slot = at % partitions;
    const prev = positions.join(',');
    positions = positions.with(slot, at + 1);
    const place = { slot, prev, cursor: positions.join(','), positions, app: undefined };
    return new Entry(place, { seq: at + 1, type: 'tool.progressed.v1', run: 'r', data: Buffer.from('{}') });
  });
}

const seqs = (ring: Ring, position: readonly number[]) => [...ring.after(position)].map((entry) => entry.seq);

describe('a ring', () => {
  it('gives what a reader lacks, as long as it covers the reader', () => {
    const ring = new Ring([0], LIMITS, new RingBudget(1e6));
    for (const entry of entries(20)) ring.push(entry);
    expect(ring.size).toBe(8);
    expect(ring.floor).toEqual([12]);
    expect(ring.covers([12])).toBe(true);
    expect(ring.covers([11])).toBe(false);
    expect(seqs(ring, [15])).toEqual([16, 17, 18, 19, 20]);
    expect(seqs(ring, [99])).toEqual([]);
  });

  it('has no hole between its floor and its head, whatever is pushed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 700 }), fc.integer({ min: 1, max: 3 }), (count, partitions) => {
        const ring = new Ring(
          Array.from({ length: partitions }, () => 0),
          LIMITS,
          new RingBudget(1e6),
        );
        for (const entry of entries(count, partitions)) ring.push(entry);
        const kept = seqs(ring, ring.floor);
        expect(kept).toEqual(
          Array.from({ length: Math.min(count, 8) }, (_, at) => count - Math.min(count, 8) + at + 1),
        );
      }),
      { numRuns: 100, seed: 5 },
    );
  });

  it('takes older entries in front where they fit, and not where they do not', () => {
    const all = entries(20);
    const ring = new Ring([15], LIMITS, new RingBudget(1e6));
    for (const entry of all.slice(15)) ring.push(entry);
    ring.extend(all.slice(10, 15), [10]);
    expect(ring.floor).toEqual([15]);
    ring.extend(all.slice(13, 15), [13]);
    expect(ring.floor).toEqual([13]);
    expect(seqs(ring, [13])).toEqual([14, 15, 16, 17, 18, 19, 20]);
  });

  it('keeps little while all rings together keep too much, and gives everything back', () => {
    const budget = new RingBudget(2_000);
    const rings = [0, 1, 2].map(() => new Ring([0], { entries: 1_000, bytes: 1e6 }, budget));
    for (const ring of rings) for (const entry of entries(900)) ring.push(entry);
    for (const ring of rings) expect(ring.bytes).toBeLessThanOrEqual(64 * 1024);
    for (const ring of rings) ring.clear([900]);
    expect(budget.used).toBe(0);
  });
});
