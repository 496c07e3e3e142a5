import { memo } from 'react';
import type { Marker, MarkerKind } from '../model/markers.ts';
import type { Span } from '../model/spans.ts';
import { shareOf, type Viewport } from '../model/viewport.ts';
import { Bar } from './Bar.tsx';
import styles from './Chart.module.css';

export interface RowProps {
  readonly call: number;
  readonly name: string;
  readonly spans: readonly Span[];
  readonly markers: readonly Marker[];
  /** Both grow in place: what tells that there is more is how many there are, and when the last bar ended. */
  readonly revision: number;
  readonly view: Viewport;
  readonly width: number;
  readonly now: number;
  readonly current: number | undefined;
}

/** One call: its name and its bars. What is drawn is said by the details and by the table. */
export const Row = memo(function Row({ call, name, spans, markers, view, width, now, current }: RowProps) {
  return (
    <>
      <div className={styles.name} title={name}>
        <span className={styles.number}>{call + 1}</span>
        <span className={styles.tool}>{name}</span>
      </div>
      <div className={styles.plot} data-call={call}>
        <svg className={styles.bars} width={width} height={24} aria-hidden="true">
          {spans.map((span, place) => (
            <Bar
              key={`${span.first}-${span.kind}`}
              span={span}
              view={view}
              width={width}
              now={now}
              current={place === current}
            />
          ))}
          {markers.map((marker) => (
            <Mark key={marker.index} marker={marker} x={shareOf(view, marker.at) * width} width={width} />
          ))}
        </svg>
      </div>
    </>
  );
});

/** A shape for each kind, so that colour is never the only difference. */
const SHAPES: Readonly<Record<MarkerKind, string>> = {
  question: 'M0 -5 L4.5 3 L-4.5 3 Z',
  answer: 'M0 -4.5 L4.5 0 L0 4.5 L-4.5 0 Z',
  failure: 'M-3.5 -3.5 L3.5 3.5 M3.5 -3.5 L-3.5 3.5',
  command: 'M-3 -4.5 L4.5 0 L-3 4.5 Z',
  checkpoint: 'M-3 -4.5 L3 -4.5 L3 4.5 L0 1.5 L-3 4.5 Z',
  release: 'M3 -4.5 L-4.5 0 L3 4.5 Z',
  end: 'M-4 -4 H4 V4 H-4 Z',
};

export function Mark({ marker, x, width }: { readonly marker: Marker; readonly x: number; readonly width: number }) {
  if (x < -6 || x > width + 6) return null;
  return (
    <path
      d={SHAPES[marker.kind]}
      transform={`translate(${x} 12)`}
      className={`${styles.mark} ${styles[`mark-${marker.kind}`]}`}
      data-marker={marker.kind}
    />
  );
}
