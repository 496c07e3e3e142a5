import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, useEffect, useId, useMemo, useRef } from 'react';
import type { EventHistory } from '../model/event-history.ts';
import type { Marker } from '../model/markers.ts';
import { ticks } from '../model/ticks.ts';
import { shareOf, timeAt } from '../model/viewport.ts';
import type { Axis } from '../use-viewport.ts';
import styles from './Chart.module.css';
import { Bands, Overlay } from './Overlay.tsx';
import { barAt, type Picked, type Step, step } from './pick.ts';
import { Mark, Row } from './Row.tsx';
import { Ruler } from './Ruler.tsx';
import { Stripes } from './Stripes.tsx';
import { usePointer } from './use-pointer.ts';
import { useWidth } from './use-width.ts';

export interface ChartProps {
  readonly history: EventHistory;
  readonly names: readonly string[];
  readonly axis: Axis;
  /** Until when open bars last. */
  readonly now: number;
  readonly origin: number;
  /** The time of the moment that is shown, where that is the past. */
  readonly moment: number | undefined;
  readonly picked: Picked | undefined;
  readonly onPick: (picked: Picked | undefined) => void;
  readonly onHover: (picked: Picked | undefined) => void;
  readonly onTime: (time: number) => void;
  readonly onIndex: (index: number) => void;
}

const ROW = 32;
const NARROW_ROW = 48;
const NARROW_PX = 640;
/** Pixels around a bar in which it is still meant. */
const REACH_PX = 8;
const STEPS: Readonly<Record<string, Step>> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
};
/** Of the ruler. */
const WIDEST_LABEL = 84;
const NO_MARKERS: readonly Marker[] = [];

/** The bars of all calls on one time axis. Only the rows in sight are rendered; the table has the same in words. */
export function Chart(props: ChartProps) {
  const { history, names, axis, now, origin, moment, picked, onPick, onHover, onTime, onIndex } = props;
  const { view } = axis;
  const { calls } = history.spans;
  const scroller = useRef<HTMLDivElement>(null);
  const plot = useRef<HTMLDivElement>(null);
  const width = useWidth(plot);
  const narrow = useWidth(scroller) < NARROW_PX;
  const size = narrow ? NARROW_ROW : ROW;
  const hint = useId();
  const marks = useMemo(() => ticks(view, origin, Math.floor(width / WIDEST_LABEL)), [view, origin, width]);
  const rows = useVirtualizer({
    count: names.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => size,
    overscan: 8,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: it keeps the sizes that it was told
  useEffect(() => rows.measure(), [size]);

  const barUnder = (share: number, target: Element): Picked | undefined => {
    const call = target.closest<HTMLElement>('[data-call]')?.dataset.call;
    if (call === undefined) return undefined;
    const reach = (REACH_PX / Math.max(width, 1)) * (view.to - view.from);
    const place = barAt(calls[Number(call)], timeAt(view, share), reach, now);
    return place === undefined ? undefined : { call: Number(call), place };
  };
  const pointer = usePointer(scroller, {
    axis,
    plot,
    width,
    onHover: (share, target) => onHover(share === undefined ? undefined : barUnder(share, target)),
    onPress: (share, target) => {
      if (target.closest('[data-ruler]')) onTime(timeAt(view, share));
      else onPick(barUnder(share, target));
    },
  });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const bar = picked && calls[picked.call]?.[picked.place];
    const how = STEPS[event.key];
    if (event.shiftKey && (how === 'left' || how === 'right')) axis.pan(how === 'left' ? -0.2 : 0.2);
    else if (how) {
      const next = step(calls, picked, how, now);
      if (!next) return;
      onPick(next);
      rows.scrollToIndex(next.call);
      const to = calls[next.call]?.[next.place];
      if (to) axis.reveal(to.from);
    } else if (event.key === '+' || event.key === '=') axis.zoom(0.5);
    else if (event.key === '-') axis.zoom(2);
    else if (event.key === '0') axis.fit();
    else if (event.key === 'Enter' && bar) onIndex(event.shiftKey ? (bar.last ?? bar.first) : bar.first);
    else if (event.key === 'Escape' && picked) onPick(undefined);
    else return;
    event.preventDefault();
  };

  return (
    <>
      <p id={hint} className="visually-hidden">
        Arrow keys go from bar to bar, Home and End to the first and last bar of a call. Enter shows the run as it was
        when the bar began, Shift and Enter when it ended. Plus and minus zoom, 0 shows everything, Shift with left and
        right pans. The table view has the same in words.
      </p>
      <div
        ref={scroller}
        className={styles.chart}
        data-narrow={narrow}
        data-view={`${view.from} ${view.to}`}
        data-testid="timeline-chart"
        role="application"
        aria-label="Timeline of the calls"
        aria-describedby={hint}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it is a widget with its own keys
        tabIndex={0}
        onKeyDown={onKeyDown}
        {...pointer}
      >
        <Stripes />
        <div className={styles.ruler}>
          <div className={styles.corner}>Call</div>
          <div ref={plot} className={styles.rulerPlot} data-ruler data-testid="timeline-ruler">
            <Bands bands={history.spans.bands} view={view} width={width} now={now} />
            <Ruler marks={marks} view={view} width={width} />
            <svg className={styles.runMarks} width={width} height={24} aria-hidden="true">
              {history.runMarkers.map((marker) => (
                <Mark key={marker.index} marker={marker} x={shareOf(view, marker.at) * width} width={width} />
              ))}
            </svg>
          </div>
        </div>
        <div className={styles.rows} style={{ height: rows.getTotalSize() }}>
          <Overlay bands={history.spans.bands} marks={marks} view={view} width={width} now={now} moment={moment} />
          {rows.getVirtualItems().map(({ index, start }) => {
            const spans = calls[index] ?? [];
            const markers = history.callMarkers[index] ?? NO_MARKERS;
            return (
              <div
                key={index}
                className={styles.row}
                style={{ transform: `translateY(${start}px)`, height: size }}
                data-picked={picked?.call === index || undefined}
              >
                <Row
                  call={index}
                  name={names[index] ?? ''}
                  spans={spans}
                  revision={spans.length + markers.length + (spans.at(-1)?.to ?? 0)}
                  markers={markers}
                  view={view}
                  width={width}
                  now={spans.at(-1)?.to === undefined ? now : 0}
                  current={picked?.call === index ? picked.place : undefined}
                />
              </div>
            );
          })}
        </div>
      </div>
    </>
  );
}
