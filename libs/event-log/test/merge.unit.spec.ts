import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Merge } from '../src/merge.ts';

interface Placed {
  seq: number;
  subject: number;
  lastSeq: number;
}

/** A stream in which foreign events leave gaps between the sequences of ours. */
function stream(steps: readonly { subject: number; foreign: number }[]): Placed[] {
  const lastOf = new Map<number, number>();
  let seq = 0;
  return steps.map(({ subject, foreign }) => {
    seq += 1 + foreign;
    const event = { seq, subject, lastSeq: lastOf.get(subject) ?? 0 };
    lastOf.set(subject, seq);
    return event;
  });
}

const seqs = (events: readonly Placed[]) => events.map(({ seq }) => seq);

/** One page as the log reads it, behind the proven position; the last page of a read settles it. */
function readPage(
  merge: Merge<Placed>,
  stored: readonly Placed[],
  pageSize: number,
): { passed: Placed[]; more: boolean } {
  const rest = stored.filter(({ seq }) => seq > merge.proven);
  const more = rest.length > pageSize;
  const passed = merge.page(rest.slice(0, pageSize), more);
  return { passed: more ? passed : [...passed, ...merge.settle().pass], more };
}

function read(merge: Merge<Placed>, stored: readonly Placed[]): Placed[] {
  return readPage(merge, stored, Number.MAX_SAFE_INTEGER).passed;
}

describe('the merge of the live tail with reads', () => {
  const events = stream([0, 1, 0, 1, 0].map((subject) => ({ subject, foreign: 1 })));
  const [first, second, third, fourth, fifth] = events as [Placed, Placed, Placed, Placed, Placed];

  test('holds live events until the first read, then passes everything once', () => {
    const merge = new Merge<Placed>(0, 100);
    expect(merge.live(third)).toBe(false);
    expect(seqs(read(merge, [first, second, third]))).toEqual(seqs([first, second, third]));
    expect(merge.live(third)).toBe(false);
    expect(merge.live(fourth)).toBe(true);
    expect(merge.gap).toBe(false);
  });

  test('holds what follows a hole on the same subject until a read fills it', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first, second]);
    expect([merge.live(fifth), merge.holding]).toEqual([false, true]);
    expect(seqs(read(merge, events))).toEqual(seqs([third, fourth, fifth]));
    expect([merge.holding, merge.gap]).toEqual([false, false]);
  });

  test('finds a lost last message by a read', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first]);
    expect(seqs(read(merge, [first, second]))).toEqual([second.seq]);
  });

  test('calls a hole that another subject has passed a gap', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first, second]);
    expect(merge.live(fourth)).toBe(true);
    expect(read(merge, events)).toEqual([]);
    expect(merge.gap).toBe(true);
  });

  test('calls a late live event that others have passed a gap', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first, second]);
    merge.live(fourth);
    expect(merge.live(third)).toBe(false);
    expect(merge.gap).toBe(true);
  });

  test('asks for another read where the first did not reach what a held event follows', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first]);
    merge.live(fifth);
    merge.page([second], false);
    expect(merge.settle()).toEqual({ pass: [], missing: third.seq });
    merge.page([third], true);
    expect(seqs(merge.settle().pass)).toEqual([fifth.seq]);
  });

  test('takes a predecessor that the leader no longer has for purged', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first]);
    merge.live(fifth);
    merge.provenThrough(third.seq);
    expect(seqs(merge.settle().pass)).toEqual([fifth.seq]);
  });

  test('passes nothing after a disconnect until a read', () => {
    const merge = new Merge<Placed>(0, 100);
    read(merge, [first, second]);
    merge.hold();
    expect(merge.live(fourth)).toBe(false);
    expect(seqs(read(merge, [first, second, third, fourth]))).toEqual(seqs([third, fourth]));
  });

  test('forgets held events beyond its bound and asks for one more read', () => {
    const merge = new Merge<Placed>(0, 2);
    for (const event of events) merge.live(event);
    expect(seqs(merge.page([first], false))).toEqual([first.seq]);
    expect(merge.settle()).toEqual({ pass: [], missing: first.seq });
    expect(seqs(read(merge, events))).toEqual(seqs(events.slice(1)));
  });

  test('keeps no more unproven events than its bound', () => {
    const merge = new Merge<Placed>(0, 2);
    read(merge, []);
    expect(events.map((event) => merge.live(event))).toEqual([true, true, false, false, false]);
    expect(seqs(read(merge, events))).toEqual(seqs([third, fourth, fifth]));
  });

  const step = fc.record({ subject: fc.integer({ min: 0, max: 3 }), foreign: fc.integer({ min: 0, max: 2 }) });
  /** After storing an event: is it seen live, is a page read and how long is it, does the connection break? */
  const fate = fc.record({
    live: fc.boolean(),
    read: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined, freq: 4 }),
    disconnect: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  });

  test('under any loss passes every event once and in order, or says that it cannot', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(step, fate), { maxLength: 40 }),
        fc.integer({ min: 2, max: 20 }),
        (script, maxHeld) => {
          const all = stream(script.map(([s]) => s));
          const merge = new Merge<Placed>(0, maxHeld);
          const passed: Placed[] = [];
          const deliver = (event: Placed) => {
            if (merge.live(event)) passed.push(event);
          };
          script.forEach(([, { live, read: pageSize, disconnect }], at) => {
            if (disconnect) merge.hold();
            const stored = all.slice(0, at + 1);
            if (live) deliver(stored[at] as Placed);
            if (pageSize !== undefined) passed.push(...readPage(merge, stored, pageSize).passed);
          });
          // Quiet now: two reads settle whatever the bound had made it forget.
          passed.push(...read(merge, all), ...read(merge, all));
          const order = seqs(passed);
          expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
          if (!merge.gap) expect(order).toEqual(seqs(all));
          const proven = seqs(all).filter((seq) => seq <= merge.proven);
          expect(order.slice(0, proven.length)).toEqual(proven);
        },
      ),
      { seed: 20260101, numRuns: 3_000 },
    );
  });

  test('never reports a gap where nothing was lost', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(step, fate), { maxLength: 40 }), (script) => {
        const all = stream(script.map(([s]) => s));
        const merge = new Merge<Placed>(0, 1_000);
        script.forEach(([, { read: pageSize }], at) => {
          merge.live(all[at] as Placed);
          if (pageSize !== undefined) readPage(merge, all.slice(0, at + 1), pageSize);
        });
        read(merge, all);
        expect(merge.gap).toBe(false);
        expect(merge.low).toBe(all.at(-1)?.seq ?? 0);
      }),
      { seed: 20260102, numRuns: 1_000 },
    );
  });
});
