import { Bar, CartesianGrid, ComposedChart, Line, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
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
  readonly height?: number;
}

/**
 * Figures over time: bars on each other, lines with gaps where nothing was measured. It is for eyes and pointers; what it
 * says is in its frame's words and table.
 */
export function TimeChart<T extends { readonly at: number }>(props: TimeChartProps<T>) {
  const { rows, series, windowMs, bucketMs, format, height = 180 } = props;
  return (
    <ResponsiveContainer width="100%" height={height} debounce={50}>
      <ComposedChart
        data={rows as T[]}
        accessibilityLayer={false}
        margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
        barCategoryGap="18%"
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="at"
          tickFormatter={(at: number) => tickTime(at, { windowMs, bucketMs })}
          minTickGap={24}
          tickLine={false}
          axisLine={{ stroke: 'var(--line-strong)' }}
          tick={TICK}
          height={24}
        />
        <YAxis
          allowDecimals={false}
          tickFormatter={format}
          tickLine={false}
          axisLine={false}
          tick={TICK}
          width={64}
          tickCount={4}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--surface-3)', stroke: 'var(--line-strong)', fillOpacity: 0.5 }}
          content={<ChartTip series={series} format={format} label={(at) => partTime(at, { windowMs, bucketMs })} />}
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

const TICK = { fill: 'var(--text-muted)', fontSize: 12 };
