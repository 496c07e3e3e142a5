import type { DeliveryReport } from '@toolstream/proto-events';
import { useMemo } from 'react';
import { fineDuration, type Series, TimeFigures } from '../../charts/index.ts';
import { count, counted } from '../../format/index.ts';
import { Card } from '../../ui/index.ts';
import styles from './Delivery.module.css';
import { deliveryRows } from './model/over-time.ts';

const RELAYED: readonly Series[] = [{ id: 'relayed', name: 'Events relayed', colour: 'var(--series-1)', as: 'bar' }];
const LAG: readonly Series[] = [{ id: 'lag_p95_ms', name: 'p95', colour: 'var(--series-2)', as: 'line' }];
const TROUBLE: readonly Series[] = [
  { id: 'returns', name: 'Reconnects', colour: 'var(--series-3)', as: 'bar' },
  { id: 'repaired', name: 'Gaps repaired', colour: 'var(--series-2)', as: 'bar' },
  { id: 'lost_steps', name: 'Snapshots nobody asked for', colour: 'var(--bad)', as: 'bar' },
];

/** The window part by part. */
export function OverTime({ report }: { readonly report: DeliveryReport }) {
  const rows = useMemo(() => deliveryRows(report), [report]);
  const all = (of: 'relayed' | 'returns' | 'repaired' | 'lost_steps', one: string) =>
    counted(
      rows.reduce((sum, row) => sum + row[of], 0),
      one,
    );
  const plot = { rows, windowMs: report.window_ms, bucketMs: report.bucket_ms };
  return (
    <Card title="Over time">
      <div className={styles.charts}>
        <TimeFigures
          {...plot}
          title="Events relayed"
          summary={`${all('relayed', 'event')}, each once for every edge and watched run or app`}
          series={RELAYED}
          format={count}
        />
        <TimeFigures
          {...plot}
          title="Delay p95"
          summary="Stored to relayed: 95 % took no longer"
          series={LAG}
          format={fineDuration}
        />
        <TimeFigures
          {...plot}
          title="Reconnects and gaps"
          summary={`${all('returns', 'reconnect')}, ${all('repaired', 'gap')} repaired, ${all('lost_steps', 'snapshot')} that nobody asked for`}
          series={TROUBLE}
          format={count}
        />
      </div>
    </Card>
  );
}
