import { useMemo } from 'react';
import { fineDuration, type Series, TimeFigures } from '../../../charts/index.ts';
import { count, counted } from '../../../format/index.ts';
import { Card } from '../../../ui/index.ts';
import type { ToolFigures } from '../model/tool-rows.ts';
import { type TrendWindow, trendRows } from '../model/trend.ts';
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
  if (figures.trend === undefined)
    return (
      <Card title="Over time">
        <p className={styles.note}>Trends are shown of the 50 tools with most calls in this time.</p>
      </Card>
    );
  const plot = { rows, windowMs: window.windowMs, bucketMs: window.bucketMs };
  return (
    <Card title="Over time">
      <div className={styles.charts}>
        <TimeFigures
          {...plot}
          title="Calls"
          summary={`${counted(figures.runs, 'call')} ended`}
          series={CALLS}
          format={count}
        />
        <TimeFigures
          {...plot}
          title="Duration"
          summary={`Of calls that succeeded: ${p95(figures.duration_p95_ms)}`}
          series={DURATIONS}
          format={fineDuration}
        />
        <TimeFigures
          {...plot}
          title="Queue time"
          summary={`Until a call began: ${p95(figures.queue_p95_ms)}`}
          series={QUEUES}
          format={fineDuration}
        />
      </div>
    </Card>
  );
}

const p95 = (ms: number | null): string => (ms === null ? 'there were none' : `p95 ${fineDuration(ms)}`);
