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
} from '../../../charts/index.ts';
import { count, counted } from '../../../format/index.ts';
import { Card } from '../../../ui/index.ts';
import type { ToolFigures } from '../model/tool-rows.ts';
import { type TrendRow, type TrendWindow, trendRows } from '../model/trend.ts';
import styles from './ToolPage.module.css';

const CALLS: readonly Series[] = [
  { id: 'succeeded', name: 'Succeeded', colour: 'var(--series-1)', as: 'bar' },
  { id: 'failed', name: 'Failed', colour: 'var(--bad)', as: 'bar' },
  { id: 'cancelled', name: 'Cancelled', colour: 'var(--still-line)', as: 'bar' },
];
const percentiles = (of: 'duration' | 'queue'): readonly Series[] => [
  { id: `${of}_p50_ms`, name: 'p50', colour: 'var(--series-1)', as: 'line' },
  { id: `${of}_p95_ms`, name: 'p95', colour: 'var(--series-2)', as: 'line', dashed: true },
];
const DURATIONS = percentiles('duration');
const QUEUES = percentiles('queue');

/** Calls, durations and queue times over the window, part by part. */
export function Trends({ figures, window }: { readonly figures: ToolFigures; readonly window: TrendWindow }) {
  const rows = useMemo(() => trendRows(figures.trend ?? [], window), [figures.trend, window]);
  const { windowMs, bucketMs } = window;
  const each = `in parts of ${span(bucketMs)}`;
  if (figures.trend === undefined)
    return (
      <Card title="Over time">
        <p className={styles.note}>Trends are shown of the 50 tools with most calls in this time.</p>
      </Card>
    );
  const frame = (title: string, summary: string, series: readonly Series[], format: (value: number) => string) => (
    <ChartFrame
      title={title}
      summary={summary}
      legend={<Legend series={series} />}
      chart={<TimeChart rows={rows} series={series} windowMs={windowMs} bucketMs={bucketMs} format={format} />}
      table={
        <FiguresTable
          label={`${title}, ${each}`}
          tall
          rows={rows}
          rowKey={({ at }) => String(at)}
          columns={columns(series, window, format)}
        />
      }
    />
  );
  return (
    <Card title="Over time">
      <div className={styles.charts}>
        {frame('Calls', `${counted(figures.runs, 'call')} ended, ${each}.`, CALLS, count)}
        {frame(
          'Duration',
          `Of calls that succeeded: ${p95(figures.duration_p95_ms)}, ${each}.`,
          DURATIONS,
          fineDuration,
        )}
        {frame('Queue time', `Until a call began: ${p95(figures.queue_p95_ms)}, ${each}.`, QUEUES, fineDuration)}
      </div>
    </Card>
  );
}

const p95 = (ms: number | null): string => (ms === null ? 'there were none' : `p95 ${fineDuration(ms)}`);

const columns = (
  series: readonly Series[],
  window: TrendWindow,
  format: (value: number) => string,
): FiguresColumn<TrendRow>[] => [
  { id: 'at', header: 'From', cell: ({ at }) => partTime(at, window) },
  ...series.map(
    ({ id, name }): FiguresColumn<TrendRow> => ({
      id,
      header: name,
      align: 'end',
      cell: (row) => orDash(row[id as keyof TrendRow], format),
    }),
  ),
];
