import type { TooltipContentProps } from 'recharts';
import styles from './ChartTip.module.css';

export interface TipSeries {
  readonly id: string;
  readonly name: string;
  readonly colour: string;
}

interface ChartTipProps<T> extends Partial<Pick<TooltipContentProps, 'active' | 'payload'>> {
  readonly series: readonly TipSeries[];
  readonly format: (value: number) => string;
  /** Not `label`: what the chart hands over is laid over what is given here, and it has a `label`. */
  readonly titleOf: (row: T) => string;
}

/** What the pointer is on. Recharts hands over what is active; what is shown is ours. */
export function ChartTip<T>({ active, payload, series, format, titleOf }: ChartTipProps<T>) {
  const row = payload?.[0]?.payload as T | undefined;
  if (active !== true || row === undefined) return null;
  return (
    <div className={styles.tip}>
      <p className={styles.title}>{titleOf(row)}</p>
      <ul className={styles.rows}>
        {series.map(({ id, name, colour }) => {
          const value = (row as Readonly<Record<string, unknown>>)[id];
          return (
            <li key={id}>
              <span className={styles.swatch} style={{ background: colour }} />
              {name}
              <span className={styles.value}>{typeof value === 'number' ? format(value) : '–'}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
