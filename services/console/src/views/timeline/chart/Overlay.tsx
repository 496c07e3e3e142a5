import type { EventHistory } from '../model/event-history.ts';
import { shareOf } from '../model/viewport.ts';
import type { Axis } from '../use-viewport.ts';
import styles from './Chart.module.css';
import { Grid } from './Ruler.tsx';

export interface OverlayProps {
  readonly history: EventHistory;
  readonly axis: Axis;
  readonly width: number;
  readonly origin: number;
  readonly now: number;
  readonly moment: number | undefined;
}

/** What lies over or under all rows: the grid, the run's own pauses, the moment that is shown and what came after it. */
export function Overlay({ history, axis: { view }, width, origin, now, moment }: OverlayProps) {
  const x = (time: number) => Math.min(Math.max(shareOf(view, time), 0), 1) * width;
  return (
    <>
      <div className={styles.overlay} aria-hidden="true">
        <Grid view={view} origin={origin} width={width} />
        {history.spans.bands.map((band) => {
          const left = x(band.from);
          const right = x(band.to ?? now);
          if (right <= 0 || left >= width) return null;
          return (
            <div
              key={`${band.kind}-${band.first}`}
              className={`${styles.band} ${styles[`band-${band.kind}`]}`}
              data-band={band.kind}
              style={{ transform: `translateX(${left}px)`, width: Math.max(2, right - left) }}
            >
              {right - left > 90 && <span>{band.kind === 'paused' ? 'Run paused' : 'Cancelling'}</span>}
            </div>
          );
        })}
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
