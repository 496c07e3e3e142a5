import type { DeliveryReport } from '@toolstream/proto-events';
import { BarsChart, ChartFrame, type FiguresColumn, FiguresTable, fineDuration } from '../../charts/index.ts';
import { count, counted, share } from '../../format/index.ts';
import { Card } from '../../ui/index.ts';
import styles from './Delivery.module.css';
import { atMost, type Bar, bars, type LagHistogram, meanOf, samplesOf } from './model/histogram.ts';

/** How long events took, as a histogram of each of the two ways that are measured. */
export function Lag({ report }: { readonly report: DeliveryReport }) {
  const { total, lag_bounds_ms: bounds } = report;
  return (
    <Card title="Delays">
      <div className={styles.charts}>
        <Histogram
          title="Stored to relayed"
          what="Until an edge handed an event to its clients"
          unit="event"
          histogram={total.relayed}
          bounds={bounds}
          colour="var(--series-1)"
        />
        <Histogram
          title="Stored to acknowledged"
          what="Until a client’s answer proved that it has an event, the way back included; sampled"
          unit="answer"
          histogram={total.acknowledged}
          bounds={bounds}
          colour="var(--series-3)"
        />
      </div>
    </Card>
  );
}

interface HistogramProps {
  readonly title: string;
  readonly what: string;
  readonly unit: string;
  readonly histogram: LagHistogram;
  readonly bounds: readonly number[];
  readonly colour: string;
}

function Histogram({ title, what, unit, histogram, bounds, colour }: HistogramProps) {
  const rows = bars(histogram, bounds);
  const samples = samplesOf(histogram);
  const columns: FiguresColumn<Bar>[] = [
    { id: 'label', header: 'Delay', cell: ({ label }) => label },
    { id: 'samples', header: `${unit}s`, align: 'end', cell: (bar) => count(bar.samples) },
    {
      id: 'share',
      header: 'Of all',
      align: 'end',
      cell: (bar) => (samples === 0 ? '–' : share(bar.samples / samples)),
    },
  ];
  return (
    <ChartFrame
      title={title}
      summary={`${what}. ${summaryOf(histogram, bounds, unit)}`}
      chart={<BarsChart rows={rows} name={`${unit}s`} colour={colour} />}
      table={<FiguresTable label={title} rows={rows} rowKey={({ label }) => label} columns={columns} tall />}
    />
  );
}

function summaryOf(histogram: LagHistogram, bounds: readonly number[], unit: string): string {
  const samples = samplesOf(histogram);
  if (samples === 0) return 'Nothing was measured in this time.';
  const at = (part: number) => fineDuration(atMost(histogram, bounds, part) ?? 0);
  const mean = fineDuration(meanOf(histogram) ?? 0);
  return `${counted(samples, unit)}: half took at most ${at(0.5)}, 95 % at most ${at(0.95)}, the longest ${fineDuration(histogram.max_ms)}, on average ${mean}.`;
}
