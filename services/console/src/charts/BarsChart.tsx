import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { count } from '../format/index.ts';
import { GRID, PLOT, X_AXIS, Y_AXIS } from './axes.ts';
import { ChartTip } from './ChartTip.tsx';

export interface BarsChartProps {
  readonly rows: readonly { readonly label: string; readonly samples: number }[];
  readonly name: string;
  readonly colour: string;
}

/** How often each: a bar a cell. */
export function BarsChart({ rows, name, colour }: BarsChartProps) {
  return (
    <ResponsiveContainer width="100%" height={200} debounce={50}>
      <BarChart {...PLOT} data={[...rows]} barCategoryGap="12%">
        <CartesianGrid {...GRID} />
        <XAxis {...X_AXIS} dataKey="label" minTickGap={12} />
        <YAxis {...Y_AXIS} tickFormatter={count} width={56} />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--surface-3)', fillOpacity: 0.5 }}
          content={
            <ChartTip
              series={[{ id: 'samples', name, colour }]}
              format={count}
              titleOf={({ label }: BarsChartProps['rows'][number]) => label}
            />
          }
        />
        <Bar dataKey="samples" name={name} fill={colour} isAnimationActive={false} radius={[3, 3, 0, 0]} />
      </BarChart>
    </ResponsiveContainer>
  );
}
