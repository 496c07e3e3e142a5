import { Link } from '@tanstack/react-router';
import { useWindowVirtualizer } from '@tanstack/react-virtual';
import { useRunSelector } from '@toolstream/react';
import { Radio } from 'lucide-react';
import { useCallback, useLayoutEffect, useRef, useState } from 'react';
import { useShortcuts } from '../../../shell/view-shortcuts.ts';
import { TO_WHAT_RUNS } from '../route.ts';
import styles from './CallList.module.css';
import { CallRow } from './CallRow.tsx';

interface CallListProps {
  readonly id: string;
  /** Index of the call that is shown in full. */
  readonly open: number;
  /** Somebody chose it; else it is the one that runs. */
  readonly chosen: boolean;
}

const ROW_PX = 72;
/** The bar of the shell, which covers the top of the page. */
const BAR_PX = 64;

/** Only the rows in view are there, and each is rendered again only when its own call changes. */
export function CallList({ id, open, chosen }: CallListProps) {
  const total = useRunSelector(id, ({ run }) => run?.tools.length ?? 0);
  const ended = useRunSelector(id, (view) => view.ended);
  const list = useRef<HTMLOListElement>(null);
  const scrollMargin = useTopOf(list);
  const virtualizer = useWindowVirtualizer({
    count: total,
    estimateSize: () => ROW_PX,
    overscan: 6,
    scrollMargin,
    scrollPaddingStart: BAR_PX,
  });
  /** Where the keyboard is; it moves faster than rows are rendered and focused. */
  const at = useRef<number | undefined>(undefined);
  const [wanted, setWanted] = useState<number>();
  const onFocus = useCallback((index: number) => {
    at.current = index;
    setWanted((before) => (before === index ? undefined : before));
  }, []);
  const step = (by: 1 | -1) => {
    const next = at.current === undefined ? open : at.current + by;
    at.current = Math.min(total - 1, Math.max(0, next));
    virtualizer.scrollToIndex(at.current, { align: 'auto' });
    setWanted(at.current);
  };
  useShortcuts([
    { key: 'j', words: 'To the next call (Enter opens it)', act: () => step(1) },
    { key: 'k', words: 'To the call before', act: () => step(-1) },
  ]);
  return (
    <section className={styles.calls} aria-label="Calls">
      <div className={styles.bar}>
        <h2 className={styles.title}>Calls</h2>
        {ended ? null : chosen ? (
          <Link {...TO_WHAT_RUNS} className={styles.follow}>
            <Radio aria-hidden /> Follow what runs
          </Link>
        ) : (
          <span className={styles.following}>
            <Radio aria-hidden /> Following what runs
          </span>
        )}
      </div>
      <ol ref={list} className={styles.list} style={{ height: virtualizer.getTotalSize() }}>
        {virtualizer.getVirtualItems().map(({ index, start }) => (
          <li
            key={index}
            ref={virtualizer.measureElement}
            data-index={index}
            aria-setsize={total}
            aria-posinset={index + 1}
            className={styles.item}
            style={{ transform: `translateY(${start - scrollMargin}px)` }}
          >
            <CallRow id={id} index={index} isOpen={index === open} isWanted={index === wanted} onFocus={onFocus} />
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Where the element begins in the page; notices above it come and go. */
function useTopOf(element: React.RefObject<HTMLElement | null>): number {
  const [top, setTop] = useState(0);
  useLayoutEffect(() => {
    const measure = () => {
      const box = element.current?.getBoundingClientRect();
      if (box && box.height > 0) setTop(Math.round(box.top + window.scrollY));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [element]);
  return top;
}
