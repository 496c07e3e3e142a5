import { createSchedule } from './schedule.ts';
import type { Store } from './types.ts';

/** Time that a watch is kept when the last component has gone: the next view of the same run often comes at once. */
const LINGER_MS = 2_000;

/** What a store of live data is made of: it opens with its first subscriber and closes when there has been none for a moment. */
export interface Source<T> {
  /** The view as it is now. It is asked for once per frame, and only after a change. */
  view(): T;
  open(): void;
  /** Leaves; nothing of what is watched is touched. */
  close(): void;
}

export interface ViewStore<T> extends Store<T> {
  /** Something has changed: subscribers hear of it with the next frame. */
  changed(): void;
  readonly isOpen: boolean;
  /** At once, subscribers or not; they open it again. */
  close(): void;
}

export function createViewStore<T>(initial: T, source: Source<T>): ViewStore<T> {
  const listeners = new Set<() => void>();
  let current = initial;
  let open = false;
  let linger: ReturnType<typeof setTimeout> | undefined;
  const schedule = createSchedule(() => {
    const next = source.view();
    if (Object.is(next, current)) return;
    current = next;
    for (const listener of [...listeners]) listener();
  });
  const close = () => {
    if (linger !== undefined) clearTimeout(linger);
    linger = undefined;
    if (!open) return;
    open = false;
    source.close();
    // What came last is shown to whoever looks at it again.
    schedule.stop();
    current = source.view();
  };

  return {
    subscribe(listener) {
      const heard = () => listener();
      listeners.add(heard);
      if (linger !== undefined) clearTimeout(linger);
      linger = undefined;
      if (!open) {
        open = true;
        source.open();
      }
      return () => {
        if (!listeners.delete(heard) || listeners.size > 0) return;
        if (linger !== undefined) clearTimeout(linger);
        linger = setTimeout(close, LINGER_MS);
      };
    },
    getSnapshot: () => current,
    getServerSnapshot: () => initial,
    changed: () => {
      if (open) schedule.request();
    },
    get isOpen() {
      return open;
    },
    close,
  };
}

/** The same store with fewer changes: at most one per `throttleMs`. */
export function throttled<T>(store: Store<T>, throttleMs: number): Store<T> {
  let current = store.getSnapshot();
  return {
    subscribe(listener) {
      const schedule = createSchedule(() => {
        const next = store.getSnapshot();
        if (Object.is(next, current)) return;
        current = next;
        listener();
      }, throttleMs);
      const leave = store.subscribe(schedule.request);
      schedule.request();
      return () => {
        schedule.stop();
        leave();
      };
    },
    getSnapshot: () => current,
    getServerSnapshot: store.getServerSnapshot,
  };
}
