import type { RunState } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { BUSY_MS, FOREIGN_MS, ForeignWork } from './foreign-work.ts';

const state = {} as RunState;
const always = () => true;
const never = () => false;

describe('another orchestrator at work on a run', () => {
  it('is waited for as long as it goes on, and never for longer than a second', () => {
    const work = new ForeignWork(0);
    work.seen(0, state);
    expect([work.isOver(FOREIGN_MS - 1), work.isOver(FOREIGN_MS)]).toEqual([false, true]);
    work.seen(200, state);
    expect(work.isOver(FOREIGN_MS)).toBe(false);
    for (let now = 300; now < 1_000; now += 100) work.seen(now, state);
    expect([work.isOver(999), work.isOver(1_000)]).toEqual([false, true]);
  });

  it('is busy right after an event whatever it has left, and later only if it has something left', () => {
    const work = new ForeignWork(0);
    work.seen(0, state);
    expect(work.isBusy(BUSY_MS - 1, never)).toBe(true);
    expect(work.isBusy(BUSY_MS, never)).toBe(false);
    work.seen(20, state);
    expect(work.isBusy(20 + BUSY_MS, always)).toBe(true);
    expect(work.isBusy(20 + FOREIGN_MS, always)).toBe(false);
  });

  it('is asked for what it has left once per event, and not in a burst', () => {
    let asked = 0;
    const isDue = () => {
      asked++;
      return true;
    };
    const work = new ForeignWork(0);
    for (let now = 0; now < 50; now += 5) {
      work.seen(now, state);
      work.isBusy(now + 1, isDue);
    }
    expect(asked).toBe(0);
    work.isBusy(60, isDue);
    work.isBusy(61, isDue);
    expect(asked).toBe(1);
  });

  it('is looked at again when it has been quiet, and then at the end of the wait', () => {
    const work = new ForeignWork(0);
    work.seen(100, state);
    expect(work.nextLook(101)).toBe(100 + BUSY_MS);
    expect(work.nextLook(100 + BUSY_MS)).toBe(100 + FOREIGN_MS);
  });
});
