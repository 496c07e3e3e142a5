import type { Tick } from '../model/ticks.ts';
import { shareOf, type Viewport } from '../model/viewport.ts';
import styles from './Chart.module.css';

export interface RulerProps {
  readonly marks: readonly Tick[];
  readonly view: Viewport;
  readonly width: number;
}

export function Ruler({ marks, view, width }: RulerProps) {
  return (
    <svg className={styles.rulerMarks} width={width} height={28} aria-hidden="true">
      {marks.map(({ at, label }) => {
        const x = shareOf(view, at) * width;
        return (
          <g key={at} transform={`translate(${x} 0)`}>
            <line y1={20} y2={28} className={styles.tick} />
            <text y={14} textAnchor={anchor(x, width)} className={styles.tickWords}>
              {label}
            </text>
          </g>
        );
      })}
    </svg>
  );
}

const anchor = (x: number, width: number) => (x < 24 ? 'start' : x > width - 24 ? 'end' : 'middle');

/** The same places as lines behind the bars. */
export function Grid({ marks, view, width }: RulerProps) {
  return marks.map(({ at }) => (
    <div key={at} className={styles.gridLine} style={{ transform: `translateX(${shareOf(view, at) * width}px)` }} />
  ));
}
