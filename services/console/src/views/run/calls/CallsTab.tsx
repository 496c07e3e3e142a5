import { useRunSelector } from '@toolstream/react';
import { useEffect, useRef } from 'react';
import { CallDetail } from '../detail/CallDetail.tsx';
import { useRunSearch } from '../route.ts';
import { useFollowed } from '../use-followed.ts';
import { useHeld } from '../use-held.ts';
import { CallList } from './CallList.tsx';
import styles from './CallsTab.module.css';
import { EndSummary } from './EndSummary.tsx';
import { OverallProgress } from './OverallProgress.tsx';
import { Questions } from './Questions.tsx';

/** The calls on the left, one of them in full on the right; on narrow screens one or the other. */
export function CallsTab({ id }: { readonly id: string }) {
  const { call } = useRunSearch();
  const count = useRunSelector(id, ({ run }) => run?.tools.length ?? 0);
  const ended = useRunSelector(id, (view) => view.ended);
  const followed = useFollowed(id);
  const chosen = call !== undefined && call < count ? call : undefined;
  const detail = useRef<HTMLDivElement>(null);
  const { held, hold, onBlur } = useHeld(detail, followed);
  const shown = chosen ?? held ?? followed;
  useEffect(() => {
    if (chosen === undefined || !isNarrow()) return;
    // The list is gone from view: what was opened is where one goes on.
    detail.current?.scrollIntoView({ block: 'start' });
    detail.current?.querySelector('h2')?.focus({ preventScroll: true });
  }, [chosen]);
  return (
    <div className={styles.tab}>
      {ended ? <EndSummary id={id} /> : <OverallProgress id={id} />}
      <Questions id={id} />
      <div className={styles.split} data-chosen={chosen !== undefined}>
        <CallList id={id} open={shown} chosen={chosen !== undefined} />
        {/* biome-ignore lint/a11y/noStaticElementInteractions: it only hears where the focus is. */}
        <div className={styles.detail} ref={detail} onFocus={() => hold(shown)} onBlur={onBlur}>
          <CallDetail key={shown} id={id} index={shown} chosen={chosen !== undefined} />
        </div>
      </div>
    </div>
  );
}

const isNarrow = (): boolean => matchMedia('(max-width: 960px)').matches;
