import { Bar, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { GRID, PLOT, X_AXIS, Y_AXIS } from './axes.ts';
import { ChartTip } from './ChartTip.tsx';
import { partTime, tickTime } from './measures.ts';

/** A series of a chart: a key of its rows. */
export interface Series {
  readonly id: string;
  readonly name: string;
  /** A custom property of the theme: `var(--series-1)`. */
  readonly colour: string;
  readonly as: 'bar' | 'line';
  readonly dashed?: boolean;
}

export interface TimeChartProps<T extends { readonly at: number }> {
  readonly rows: readonly T[];
  readonly series: readonly Series[];
  readonly windowMs: number;
  readonly bucketMs: number;
  readonly format: (value: number) => string;
}

/**
 * Figures over time: bars on each other, lines with gaps where nothing was measured. It is for eyes and pointers; what it
 * says is in its frame's words and table.
 */
export function TimeChart<T extends { readonly at: number }>(props: TimeChartProps<T>) {
  const { rows, series, windowMs, bucketMs, format } = props;
  return (
    <ResponsiveContainer width="100%" height={180} debounce={50}>
      <ComposedChart {...PLOT} data={rows as T[]} barCategoryGap="18%">
        <CartesianGrid {...GRID} />
        <XAxis
          {...X_AXIS}
          dataKey="at"
          tickFormatter={(at: number) => tickTime(at, { windowMs, bucketMs })}
          minTickGap={24}
        />
        <YAxis {...Y_AXIS} tickFormatter={format} width={64} />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--surface-3)', stroke: 'var(--line-strong)', fillOpacity: 0.5 }}
          content={
            <ChartTip series={series} format={format} titleOf={({ at }: T) => partTime(at, { windowMs, bucketMs })} />
          }
        />
        {series.map(({ id, name, colour, as, dashed }) =>
          as === 'bar' ? (
            <Bar key={id} dataKey={id} name={name} stackId="all" fill={colour} isAnimationActive={false} />
          ) : (
            <Line
              key={id}
              dataKey={id}
              name={name}
              type="linear"
              stroke={colour}
              strokeWidth={2}
              {...(dashed ? { strokeDasharray: '5 4' } : {})}
              dot={{ r: 2, fill: colour, strokeWidth: 0 }}
              activeDot={{ r: 4, fill: colour, strokeWidth: 0 }}
              connectNulls={false}
              isAnimationActive={false}
            />
          ),
        )}
      </ComposedChart>
    </ResponsiveContainer>
  );
}
