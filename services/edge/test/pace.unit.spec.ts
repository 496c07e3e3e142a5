import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Pace } from '../src/feeds/pace.ts';

/** When batches left, for events that come every `everyMs` to so many clients. */
function batches(clients: number, clientMs: number, everyMs: number, events: number): number[] {
  const left: number[] = [];
  const pace = new Pace({ feed: (work) => work(), clientMs }, () => performance.now());
  let pending = 0;
  for (let at = 0; at < events; at++) {
    if (pending++ === 0) {
      pace.schedule(clients, () => {
        left.push(pending);
        pending = 0;
      });
    }
    vi.advanceTimersByTime(everyMs);
  }
  vi.advanceTimersByTime(100);
  expect(left.reduce((sum, count) => sum + count, 0)).toBe(events);
  return left;
}

describe('a feed writes', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('every event at once while its clients are few, or the events far apart', () => {
    expect(batches(10, 0.007, 5, 40)).toHaveLength(40);
    expect(batches(2_000, 0.007, 50, 40)).toHaveLength(40);
  });

  it('several events together while many clients would take its time', () => {
    const left = batches(500, 0.007, 10, 60);
    expect(Math.max(...left)).toBe(3);
    expect(left.length).toBeLessThan(25);
    expect(left[0]).toBe(1);
  });

  it('at least thirty times a second, whatever it costs', () => {
    const left = batches(100_000, 0.05, 10, 100);
    expect(Math.max(...left)).toBeLessThanOrEqual(4);
  });
});
