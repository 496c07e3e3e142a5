import { useCallback, useEffect, useRef, useState } from 'react';
import type { LogView, RunLog } from './data/run-log.ts';
import { useAt, useWriteAt } from './route.ts';

export interface Moment {
  /** The event after which the run is shown; absent: the present. */
  readonly index: number | undefined;
  /** Why the address's event is not shown. */
  readonly trouble: 'foreign' | 'ahead' | 'beyond' | undefined;
  readonly go: (index: number) => void;
  readonly live: () => void;
}

/** Browsers refuse a page that changes its address all the time, and a scrubber would. */
const SETTLED_MS = 250;

/**
 * Which moment is shown: kept in the address as a cursor (`?at=`), so that it can be sent to somebody. The address follows a
 * scrubber when it rests; an address that changes by itself (a link, back, forward) is followed at once.
 */
export function useMoment(log: RunLog, view: LogView): Moment {
  const at = useAt();
  const write = useWriteAt();
  const [picked, setPicked] = useState<{ readonly index?: number; readonly cursor: string | undefined }>({
    cursor: at,
  });
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const written = useRef(at);

  useEffect(() => {
    if (at === written.current) return;
    written.current = at;
    clearTimeout(timer.current);
    setPicked({ cursor: at });
  }, [at]);
  useEffect(() => () => clearTimeout(timer.current), []);

  const pick = useCallback(
    (cursor: string | undefined, index?: number) => {
      setPicked(index === undefined ? { cursor } : { cursor, index });
      clearTimeout(timer.current);
      timer.current = setTimeout(() => {
        written.current = cursor;
        write(cursor);
      }, SETTLED_MS);
    },
    [write],
  );
  const go = useCallback((index: number) => pick(log.cursorAt(index), index), [log, pick]);
  const live = useCallback(() => pick(undefined), [pick]);

  // A log that was made anew has other events: then only the cursor says what was meant.
  const known = picked.index !== undefined && picked.index < view.history.length ? picked.index : undefined;
  const found = picked.cursor === undefined ? undefined : (known ?? log.find(picked.cursor));
  if (typeof found === 'number') return { index: found, trouble: undefined, go, live };
  // What is not known yet may still be on its way.
  const trouble = found === 'ahead' && view.status === 'loading' ? undefined : found;
  return { index: undefined, trouble, go, live };
}
