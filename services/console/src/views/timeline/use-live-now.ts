import { useEffect, useState } from 'react';

const TICK_MS = 200;
const CALM_TICK_MS = 1_000;

/** The present, for bars that go on: never before the newest event, whatever this machine's clock says. */
export function useLiveNow(live: boolean, newest: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!live) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const timer = setInterval(
      () => document.visibilityState === 'visible' && setNow(Date.now()),
      calm ? CALM_TICK_MS : TICK_MS,
    );
    return () => clearInterval(timer);
  }, [live]);
  return live ? Math.max(now, newest) : newest;
}
