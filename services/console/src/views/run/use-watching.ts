import type { RunState } from '@toolstream/proto-events';
import { useRunStore } from '@toolstream/react';
import { useEffect, useRef, useState } from 'react';
import { alertNow, announce } from '../../ui/index.ts';
import { announcement } from './model/announcements.ts';
import { celebrates } from './model/celebration.ts';

/**
 * Lives beside the rendering: hears of every view of the run and says aloud what somebody should notice. Returns whether to
 * celebrate: the run has just succeeded before the eyes of who watches, once per run and tab.
 */
export function useWatching(id: string): boolean {
  const store = useRunStore(id);
  const [celebrating, setCelebrating] = useState(false);
  const seen = useRef<RunState | undefined>(undefined);

  useEffect(() => {
    const look = () => {
      const { run, caughtUp } = store.getSnapshot();
      if (!run || !caughtUp) return;
      const { alert, status } = announcement(seen.current, run);
      if (alert !== '') alertNow(alert);
      if (status !== '') announce(status, 'run');
      if (celebrates(seen.current, run, sessionStorage)) setCelebrating(true);
      seen.current = run;
    };
    look();
    return store.subscribe(look);
  }, [store]);

  return celebrating;
}
