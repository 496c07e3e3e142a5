import { useConnection, useRunStore, useToolstream } from '@toolstream/react';
import { useEffect, useState } from 'react';
import { type AwayNotice, awayNotice, changesBetween, interruptedFor } from './model/away.ts';

export interface Away {
  /** What happened while this page could not follow, until it is closed. */
  readonly notice: AwayNotice | undefined;
  readonly dismiss: () => void;
}

/**
 * Whoever was away is told what happened meanwhile: after a snapshot that stands for a stretch, and after an interruption
 * whose events all came later.
 */
export function useAway(id: string): Away {
  const store = useRunStore(id);
  const client = useToolstream();
  const { interruption } = useConnection();
  const [notice, setNotice] = useState<AwayNotice>();

  useEffect(() => {
    let before = store.getSnapshot();
    return store.subscribe(() => {
      const view = store.getSnapshot();
      if (view.run && view.jumped && view.jumped !== before.jumped) {
        setNotice(awayNotice(view.jumped.reason, before.run, view.run));
      }
      before = view;
    });
  }, [store]);

  const lost = interruption?.from;
  const isAway = lost !== undefined && interruption?.to === undefined;
  useEffect(() => {
    const { run: before, ended } = store.getSnapshot();
    if (!isAway || !before || ended) return;
    // It shares the subscription that the page has, and hears when that has caught up.
    const watch = client.watch(id);
    const compare = () => {
      const now = watch.state;
      watch.close();
      const changes = now ? changesBetween(before, now) : [];
      if (changes.length > 0) setNotice((shown) => shown ?? { title: interruptedFor(Date.now() - lost), changes });
    };
    watch.on('caught_up', compare);
    watch.on('end', compare);
    return () => {
      // The connection is back before everything that was missed is here: wait for it, within bounds.
      setTimeout(() => watch.close(), CATCH_UP_MS);
    };
  }, [isAway, lost, client, id, store]);

  return { notice, dismiss: () => setNotice(undefined) };
}

const CATCH_UP_MS = 10_000;
