import type { TooltipContentProps } from 'recharts';
import styles from './charts.module.css';

export interface TipSeries {
  readonly id: string;
  readonly name: string;
  readonly colour: string;
}

/** What the pointer is on. Recharts hands over what is active; what is shown is ours. */
export function ChartTip({
  active,
  payload,
  label,
  series,
  format,
}: Partial<Pick<TooltipContentProps<number, string>, 'active' | 'payload'>> & {
  readonly series: readonly TipSeries[];
  readonly format: (value: number) => string;
  readonly label: ((value: number) => string) | string | number | undefined;
}) {
  const row = payload?.[0]?.payload as Readonly<Record<string, unknown>> | undefined;
  if (active !== true || row === undefined) return null;
  const title = typeof label === 'function' ? label(Number(row.at)) : String(row.label ?? '');
  return (
    <div className={styles.tip}>
      <p className={styles.tipTitle}>{title}</p>
      <ul className={styles.tipRows}>
        {series.map(({ id, name, colour }) => {
          const value = row[id];
          return (
            <li key={id}>
              <span className={styles.swatch} style={{ background: colour }} />
              {name}
              <span className={styles.tipValue}>{typeof value === 'number' ? format(value) : '–'}</span>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
