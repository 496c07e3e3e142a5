import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from 'recharts';
import { count } from '../format/index.ts';
import { ChartTip } from './ChartTip.tsx';

export interface BarsChartProps {
  readonly rows: readonly { readonly label: string; readonly samples: number }[];
  readonly name: string;
  readonly colour: string;
  readonly height?: number;
}

/** How often each: a bar a cell. */
export function BarsChart({ rows, name, colour, height = 200 }: BarsChartProps) {
  return (
    <ResponsiveContainer width="100%" height={height} debounce={50}>
      <BarChart
        data={[...rows]}
        accessibilityLayer={false}
        margin={{ top: 8, right: 8, bottom: 0, left: 0 }}
        barCategoryGap="12%"
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="label"
          minTickGap={12}
          tickLine={false}
          axisLine={{ stroke: 'var(--line-strong)' }}
          tick={TICK}
          height={24}
        />
        <YAxis
          allowDecimals={false}
          tickFormatter={count}
          tickLine={false}
          axisLine={false}
          tick={TICK}
          width={56}
          tickCount={4}
        />
        <Tooltip
          isAnimationActive={false}
          cursor={{ fill: 'var(--surface-3)', fillOpacity: 0.5 }}
          content={<ChartTip series={[{ id: 'samples', name, colour }]} format={count} label={undefined} />}
        />
        <Bar dataKey="samples" name={name} fill={colour} isAnimationActive={false} radius={[3, 3, 0, 0]} />
      </BarChart>
    </ResponsiveContainer>
  );
}

const TICK = { fill: 'var(--text-muted)', fontSize: 12 };
