import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_WAITING_STAGES, ProgressCoalescer, ProgressQueue, type ProgressReport } from './progress.ts';

const report = (stage: string, n: number): ProgressReport => ({ stage, details: { n } });

describe('a progress queue', () => {
  it('keeps the newest report of each stage, in the order of the stages', () => {
    const queue = new ProgressQueue();
    for (const [stage, n] of [
      ['a', 1],
      ['a', 2],
      ['b', 3],
      ['a', 4],
      ['a', 5],
    ] as const)
      queue.push(report(stage, n));
    expect(queue.takeAll()).toEqual([report('a', 2), report('b', 3), report('a', 5)]);
  });

  it('loses the oldest stage when too many wait', () => {
    const queue = new ProgressQueue();
    for (let n = 0; n <= MAX_WAITING_STAGES; n++) queue.push(report(`s${n}`, n));
    expect(queue.size).toBe(MAX_WAITING_STAGES);
    expect(queue.take()).toEqual(report('s1', 1));
  });
});

describe('a progress coalescer', () => {
  it('lets the first report go at once', () => {
    const coalescer = new ProgressCoalescer(30);
    coalescer.report(report('a', 1));
    expect(coalescer.take(0)).toEqual(report('a', 1));
  });

  it('spaces updates of one stage and keeps the latest', () => {
    const coalescer = new ProgressCoalescer(10);
    coalescer.report(report('a', 1));
    coalescer.take(0);
    coalescer.report(report('a', 2));
    coalescer.report(report('a', 3));
    expect(coalescer.take(99)).toBeUndefined();
    expect(coalescer.dueAt(99)).toBe(100);
    expect(coalescer.take(100)).toEqual(report('a', 3));
  });

  it('lets a change of stage go without waiting for the spacing', () => {
    const coalescer = new ProgressCoalescer(10);
    coalescer.report(report('a', 1));
    coalescer.take(0);
    coalescer.report(report('b', 2));
    expect(coalescer.take(1)).toEqual(report('b', 2));
  });

  it('sends the last update of a stage ahead of the change that follows it, both at once', () => {
    const coalescer = new ProgressCoalescer(10);
    coalescer.report(report('a', 1));
    coalescer.take(0);
    coalescer.report(report('a', 2));
    coalescer.report(report('b', 3));
    expect([coalescer.take(1), coalescer.take(1)]).toEqual([report('a', 2), report('b', 3)]);
  });

  it('counts changes of stage too', () => {
    const coalescer = new ProgressCoalescer(3);
    const taken = [0, 1, 2, 3].map((n) => {
      coalescer.report(report(`s${n}`, n));
      return coalescer.take(n);
    });
    expect(taken.map((r) => r?.stage)).toEqual(['s0', 's1', undefined, undefined]);
    expect(coalescer.dueAt(3)).toBe(1000);
  });

  it('gives the last report at the end, whatever was appended before', () => {
    const coalescer = new ProgressCoalescer(2);
    for (let n = 0; n < 5; n++) coalescer.report(report(`s${n}`, n));
    coalescer.take(0);
    expect(coalescer.drain(0).at(-1)).toEqual(report('s4', 4));
  });

  type Step = { wait: number; stage: string };
  const steps = fc.array(fc.record({ wait: fc.integer({ min: 0, max: 300 }), stage: fc.constantFrom('a', 'b', 'c') }), {
    minLength: 1,
    maxLength: 200,
  });

  /** Reports at the given times, takes whenever something is due, drains at the end. */
  function play(hz: number, script: Step[]): { at: number; n: number }[] {
    const coalescer = new ProgressCoalescer(hz);
    const events: { at: number; n: number }[] = [];
    const emit = (at: number, r: ProgressReport) => events.push({ at, n: (r.details as { n: number }).n });
    let now = 0;
    script.forEach(({ wait, stage }, n) => {
      const until = now + wait;
      for (let due = coalescer.dueAt(now); due !== undefined && due <= until; due = coalescer.dueAt(now)) {
        now = Math.max(now, due);
        const taken = coalescer.take(now);
        if (taken) emit(now, taken);
      }
      now = until;
      coalescer.report(report(stage, n));
      const taken = coalescer.take(now);
      if (taken) emit(now, taken);
    });
    for (const last of coalescer.drain(now)) emit(now, last);
    return events;
  }

  it('never exceeds its rate in any second, the end included', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), steps, (hz, script) => {
        const events = play(hz, script);
        for (const { at } of events) {
          // Spacings are fractions of a second: what binary fractions round away is no breach.
          const opens = at - 1000 + 1e-6;
          expect(events.filter((event) => event.at > opens && event.at <= at).length).toBeLessThanOrEqual(hz);
        }
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('emits reports in order and always the last one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }), steps, (hz, script) => {
        const numbers = play(hz, script).map(({ n }) => n);
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b));
        expect(new Set(numbers).size).toBe(numbers.length);
        expect(numbers.at(-1)).toBe(script.length - 1);
      }),
      { seed: 8, numRuns: 200 },
    );
  });
});
