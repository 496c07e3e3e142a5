import { ChartFrame } from './ChartFrame.tsx';
import { type FiguresColumn, FiguresTable } from './FiguresTable.tsx';
import { Legend } from './Legend.tsx';
import { orDash, partTime, span } from './measures.ts';
import { TimeChart, type TimeChartProps } from './TimeChart.tsx';

export interface TimeFiguresProps<T extends { readonly at: number }> extends TimeChartProps<T> {
  readonly title: string;
  /** What it shows, with its figures and without a full stop: how long the parts are is said after it. */
  readonly summary: string;
}

/** Figures over time, part by part: as a chart, in words, and as a table. */
export function TimeFigures<T extends { readonly at: number }>({ title, summary, ...plot }: TimeFiguresProps<T>) {
  const { rows, series, format } = plot;
  const parts = `in parts of ${span(plot.bucketMs)}`;
  const columns: FiguresColumn<T>[] = [
    { id: 'at', header: 'From', cell: ({ at }) => partTime(at, plot) },
    ...series.map(
      ({ id, name }): FiguresColumn<T> => ({
        id,
        header: name,
        align: 'end',
        cell: (row) => orDash(row[id as keyof T] as number | undefined, format),
      }),
    ),
  ];
  return (
    <ChartFrame
      title={title}
      summary={`${summary}, ${parts}.`}
      legend={series.length > 1 ? <Legend series={series} /> : undefined}
      chart={<TimeChart {...plot} />}
      table={
        <FiguresTable label={`${title}, ${parts}`} tall rows={rows} rowKey={({ at }) => String(at)} columns={columns} />
      }
    />
  );
}
