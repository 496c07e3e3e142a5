import type { Band } from '../model/spans.ts';
import type { Tick } from '../model/ticks.ts';
import { shareOf, type Viewport } from '../model/viewport.ts';
import styles from './Chart.module.css';
import { Grid } from './Ruler.tsx';

export interface BandsProps {
  readonly bands: readonly Band[];
  readonly view: Viewport;
  readonly width: number;
  readonly now: number;
}

export interface OverlayProps extends BandsProps {
  readonly marks: readonly Tick[];
  readonly moment: number | undefined;
}

/** What lies over or under all rows: the grid, the run's own pauses, the moment that is shown and what came after it. */
export function Overlay({ bands, marks, view, width, now, moment }: OverlayProps) {
  const x = (time: number) => clamped(view, time) * width;
  return (
    <>
      <div className={styles.overlay} aria-hidden="true">
        <Grid marks={marks} view={view} width={width} />
        <Bands bands={bands} view={view} width={width} now={now} />
      </div>
      {moment !== undefined && (
        <div className={`${styles.overlay} ${styles.above}`} aria-hidden="true">
          <div className={styles.later} style={{ transform: `translateX(${x(moment)}px)`, width: width - x(moment) }} />
          {shareOf(view, moment) >= 0 && shareOf(view, moment) <= 1 && (
            <div
              className={styles.playhead}
              data-testid="timeline-playhead"
              style={{ transform: `translateX(${x(moment)}px)` }}
            />
          )}
        </div>
      )}
    </>
  );
}

/** When the run itself was paused, or was being cancelled. */
export function Bands({ bands, view, width, now }: BandsProps) {
  return bands.map(({ kind, first, from, to }) => {
    const left = clamped(view, from) * width;
    const right = clamped(view, to ?? now) * width;
    if (right <= 0 || left >= width) return null;
    return (
      <div
        key={`${kind}-${first}`}
        className={`${styles.band} ${styles[`band-${kind}`]}`}
        data-band={kind}
        style={{ transform: `translateX(${left}px)`, width: Math.max(2, right - left) }}
      />
    );
  });
}

const clamped = (view: Viewport, time: number): number => Math.min(Math.max(shareOf(view, time), 0), 1);
