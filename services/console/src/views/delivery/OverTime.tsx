import type { DeliveryReport } from '@toolstream/proto-events';
import { useMemo } from 'react';
import {
  ChartFrame,
  type FiguresColumn,
  FiguresTable,
  fineDuration,
  Legend,
  orDash,
  partTime,
  type Series,
  span,
  TimeChart,
} from '../../charts/index.ts';
import { count, counted } from '../../format/index.ts';
import { Card } from '../../ui/index.ts';
import styles from './Delivery.module.css';
import { type DeliveryRow, deliveryRows } from './model/over-time.ts';

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
  const { window_ms: windowMs, bucket_ms: bucketMs } = report;
  const sum = (of: (row: DeliveryRow) => number) => rows.reduce((all, row) => all + of(row), 0);
  const each = `in parts of ${span(bucketMs)}`;
  const frame = (title: string, summary: string, series: readonly Series[], format: (value: number) => string) => (
    <ChartFrame
      title={title}
      summary={summary}
      legend={series.length > 1 ? <Legend series={series} /> : undefined}
      chart={<TimeChart rows={rows} series={series} windowMs={windowMs} bucketMs={bucketMs} format={format} />}
      table={
        <FiguresTable
          label={`${title}, ${each}`}
          tall
          rows={rows}
          rowKey={({ at }) => String(at)}
          columns={[
            { id: 'at', header: 'From', cell: ({ at }) => partTime(at, { windowMs, bucketMs }) },
            ...series.map(
              ({ id, name }): FiguresColumn<DeliveryRow> => ({
                id,
                header: name,
                align: 'end',
                cell: (row) => orDash(row[id as keyof DeliveryRow], format),
              }),
            ),
          ]}
        />
      }
    />
  );
  return (
    <Card title="Over time">
      <div className={styles.charts}>
        {frame(
          'Events relayed',
          `${counted(
            sum(({ relayed }) => relayed),
            'event',
          )}, each once for every edge and watched run or app, ${each}.`,
          RELAYED,
          count,
        )}
        {frame('Delay p95', `Stored to relayed: 95 % took no longer, ${each}.`, LAG, fineDuration)}
        {frame(
          'Reconnects and gaps',
          `${counted(
            sum(({ returns }) => returns),
            'reconnect',
          )}, ${counted(
            sum(({ repaired }) => repaired),
            'gap',
          )} repaired, ${counted(
            sum(({ lost_steps }) => lost_steps),
            'snapshot',
          )} that nobody asked for, ${each}.`,
          TROUBLE,
          count,
        )}
      </div>
    </Card>
  );
}
