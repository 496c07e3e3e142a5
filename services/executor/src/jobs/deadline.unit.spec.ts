import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Deadline } from './deadline.ts';

describe('a deadline', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  it('expires after its time', () => {
    const expired = vi.fn();
    new Deadline(100, expired).start();
    vi.advanceTimersByTime(99);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(expired).toHaveBeenCalledOnce();
  });

  it('does not count the time for which it is stopped', () => {
    const expired = vi.fn();
    const deadline = new Deadline(100, expired);
    deadline.start();
    vi.advanceTimersByTime(60);
    deadline.stop();
    vi.advanceTimersByTime(10_000);
    deadline.start();
    vi.advanceTimersByTime(39);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(expired).toHaveBeenCalledOnce();
  });

  it('may be longer than a timer can be', () => {
    const expired = vi.fn();
    const days = 40 * 24 * 3600_000;
    new Deadline(days, expired).start();
    vi.advanceTimersByTime(days - 1000);
    expect(expired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2000);
    expect(expired).toHaveBeenCalledOnce();
  });
});
