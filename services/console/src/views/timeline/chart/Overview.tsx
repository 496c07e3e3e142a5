import { type PointerEvent, useMemo, useRef } from 'react';
import { density } from '../model/density.ts';
import type { EventHistory } from '../model/event-history.ts';
import { fit, shareOf, timeAt } from '../model/viewport.ts';
import type { Axis } from '../use-viewport.ts';
import styles from './Overview.module.css';

export interface OverviewProps {
  readonly history: EventHistory;
  readonly axis: Axis;
  readonly extent: { readonly from: number; readonly to: number };
  readonly moment: number | undefined;
}

const BINS = 200;
/** Counting goes through all events: while many arrive, not for each of them. */
const RECOUNT_PART = 64;

/** The whole run in a strip: where its events are, which part of it the chart shows, and where the moment lies in it. */
export function Overview({ history, axis, extent, moment }: OverviewProps) {
  const strip = useRef<HTMLDivElement>(null);
  const all = fit(extent);
  const step = Math.max(1, Math.floor(history.length / RECOUNT_PART));
  const counted = Math.floor(history.length / step);
  // biome-ignore lint/correctness/useExhaustiveDependencies: columns grow in place; `counted` says when to look again
  const path = useMemo(
    () => pathOf(density(history.columns, all.from, all.to, BINS)),
    [history, counted, Math.round(all.from), Math.round((all.to - all.from) / 100)],
  );
  const left = shareOf(all, axis.view.from);
  const right = shareOf(all, axis.view.to);
  const centre = (event: PointerEvent) => {
    const box = strip.current?.getBoundingClientRect();
    if (!box || axis.fitted) return;
    const time = timeAt(all, (event.clientX - box.left) / box.width);
    const { from, to } = axis.view;
    axis.pan((time - (from + to) / 2) / (to - from));
  };
  return (
    <div
      ref={strip}
      className={styles.overview}
      aria-hidden="true"
      data-testid="timeline-overview"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        centre(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && centre(event)}
    >
      <svg className={styles.density} viewBox={`0 0 ${BINS} 100`} preserveAspectRatio="none" aria-hidden="true">
        <path d={path} />
      </svg>
      <div
        className={styles.window}
        data-fitted={axis.fitted}
        style={{ left: `${left * 100}%`, width: `${(right - left) * 100}%` }}
      />
      {moment !== undefined && <div className={styles.moment} style={{ left: `${shareOf(all, moment) * 100}%` }} />}
    </div>
  );
}

/** Roots, so that few events are seen beside many. */
function pathOf(counts: readonly number[]): string {
  const most = Math.sqrt(Math.max(1, ...counts));
  return counts
    .map((count, bin) => (count === 0 ? '' : `M${bin} 100V${100 - (Math.sqrt(count) / most) * 92}h1V100z`))
    .join('');
}
