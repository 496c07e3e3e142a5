import type { RunState } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { FOREIGN_MS, ForeignWork } from './foreign-work.ts';

const state = {} as RunState;

describe('another orchestrator at work on a run', () => {
  it('is waited for as long as it goes on, and never for longer than a second', () => {
    const work = new ForeignWork(0);
    work.seen(0, state);
    expect(work.until).toBe(FOREIGN_MS);
    work.seen(200, state);
    expect(work.until).toBe(200 + FOREIGN_MS);
    work.seen(900, state);
    expect(work.until).toBe(1_000);
  });

  it('is asked for what it has left once per event', () => {
    let asked = 0;
    const work = new ForeignWork(0);
    expect(work.hasMore(() => true)).toBe(false);
    const isDue = () => {
      asked++;
      return true;
    };
    work.seen(1, state);
    expect([work.hasMore(isDue), work.hasMore(isDue)]).toEqual([true, true]);
    work.seen(2, state);
    expect(work.hasMore(() => false)).toBe(false);
    expect(asked).toBe(1);
  });
});
