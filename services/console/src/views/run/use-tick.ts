import { useEffect, useState } from 'react';

/** The time, that often: for what is asked right now. Lists tick once a second with `useNow`. */
export function useTick(everyMs: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}
