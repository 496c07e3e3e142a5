import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createViewStore, throttled } from '../src/view-store.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

function counter() {
  const calls = { open: 0, close: 0, view: 0 };
  let value = 0;
  const store = createViewStore(0, {
    view: () => {
      calls.view++;
      return value;
    },
    open: () => void calls.open++,
    close: () => void calls.close++,
  });
  const add = () => {
    value++;
    store.changed();
  };
  return { store, add, calls };
}

describe('a store of live data', () => {
  it('tells its subscribers once per frame, however much happened', () => {
    const { store, add, calls } = counter();
    const heard = vi.fn();
    store.subscribe(heard);
    for (let i = 0; i < 100; i++) add();
    expect(store.getSnapshot()).toBe(0);
    vi.advanceTimersByTime(16);
    expect(heard).toHaveBeenCalledTimes(1);
    expect(store.getSnapshot()).toBe(100);
    expect(calls.view).toBe(1);
    vi.advanceTimersByTime(1_000);
    expect(heard).toHaveBeenCalledTimes(1);
  });

  it('opens once for all who subscribe, and closes a moment after the last has gone', () => {
    const { store, calls } = counter();
    const leave = [store.subscribe(() => {}), store.subscribe(() => {})];
    expect(calls.open).toBe(1);
    for (const left of leave) left();
    vi.advanceTimersByTime(1_000);
    expect(calls.close).toBe(0);
    const back = store.subscribe(() => {});
    vi.advanceTimersByTime(5_000);
    expect(calls).toMatchObject({ open: 1, close: 0 });
    back();
    vi.advanceTimersByTime(5_000);
    expect(calls.close).toBe(1);
    store.subscribe(() => {});
    expect(calls.open).toBe(2);
  });

  it('does not wait for the last subscriber a second time when one leaves twice', () => {
    const { store, calls } = counter();
    const leave = store.subscribe(() => {});
    store.subscribe(() => {});
    leave();
    leave();
    vi.advanceTimersByTime(5_000);
    expect(calls.close).toBe(0);
  });

  it('shows what came last to who looks after it was closed', () => {
    const { store, add } = counter();
    store.subscribe(() => {});
    add();
    store.close();
    expect(store.getSnapshot()).toBe(1);
    expect(store.getServerSnapshot()).toBe(0);
  });

  it('follows frames where there are some, and a slow timer while a page is hidden and has none', () => {
    const frames: (() => void)[] = [];
    vi.stubGlobal('requestAnimationFrame', (frame: () => void) => frames.push(frame));
    vi.stubGlobal('cancelAnimationFrame', () => {});
    const { store, add } = counter();
    const heard = vi.fn();
    store.subscribe(heard);
    add();
    frames.shift()!();
    expect(heard).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1_000);
    add();
    vi.advanceTimersByTime(249);
    expect(heard).toHaveBeenCalledTimes(1);
    vi.advanceTimersByTime(1);
    expect(heard).toHaveBeenCalledTimes(2);
  });
});

describe('a throttled store', () => {
  it('changes at most once in its time, and ends with the newest', () => {
    const { store, add } = counter();
    const slow = throttled(store, 200);
    const seen: number[] = [];
    slow.subscribe(() => seen.push(slow.getSnapshot()));
    for (let i = 0; i < 60; i++) {
      add();
      vi.advanceTimersByTime(16);
    }
    vi.advanceTimersByTime(400);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen.length).toBeLessThanOrEqual(7);
    expect(seen.at(-1)).toBe(60);
  });
});
