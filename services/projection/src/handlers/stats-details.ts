import { MAX_TREND_TOOLS, type StatsQueryReply, type statsQuery, type TrendPoint } from '@toolstream/proto-events';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';
import { counted, FIGURES } from './counted.ts';

type Figures = StatsQueryReply['tools'][number];

const FAILURE_CODES = 10;

/**
 * The figures with trends and failures of the tools with most calls. Parts of time begin at multiples of their length, so
 * that a trend read again later has the same parts; the first of a window is cut off by its begin. One statement after the
 * other: however much there is to count, it takes one connection.
 */
export async function withDetails(
  { pool, schema }: QueryContext,
  query: z.infer<typeof statsQuery>,
  bucketMs: number,
  tools: readonly Figures[],
): Promise<Figures[]> {
  const chosen = tools
    .toSorted((a, b) => b.runs - a.runs)
    .slice(0, MAX_TREND_TOOLS)
    .map(({ name }) => name);
  const values = [query.tenant, query.window_ms / 1000, query.apps === '*' ? null : query.apps, chosen];
  const points = await pool.query<Omit<TrendPoint, 'at'> & { name: string; bucket: number }>({
    name: 'query_stats_trend',
    text: `select name, floor(extract(epoch from ended_at) * 1000 / $5)::float8 as bucket, ${FIGURES}
           from ${schema}.tools
           where ${counted(1)} and name = any($4)
           group by name, bucket order by name, bucket`,
    values: [...values, bucketMs],
  });
  const codes = await pool.query<{ name: string; code: string; calls: number }>({
    name: 'query_stats_failures',
    text: `select name, code, calls from (
             select name, error_code as code, count(*)::float8 as calls,
               row_number() over (partition by name order by count(*) desc, error_code) as place
             from ${schema}.tools
             where ${counted(1)} and name = any($4) and status = 'failed' and error_code is not null
             group by name, error_code
           ) as by_code
           where place <= $5 order by name, place`,
    values: [...values, FAILURE_CODES],
  });
  const trends = Map.groupBy(points.rows, ({ name }) => name);
  const failures = Map.groupBy(codes.rows, ({ name }) => name);
  const isChosen = new Set(chosen);
  return tools.map((tool) => {
    if (!isChosen.has(tool.name)) return tool;
    return {
      ...tool,
      trend: (trends.get(tool.name) ?? []).map(({ name: _name, bucket, ...figures }) => ({
        at: new Date(bucket * bucketMs).toISOString(),
        ...shortened(figures),
      })),
      failures: (failures.get(tool.name) ?? []).map(({ code, calls }) => ({ code, calls })),
    };
  });
}

/** Tenths of a millisecond: the reply has thousands of these. */
function shortened(figures: Omit<TrendPoint, 'at'>): Omit<TrendPoint, 'at'> {
  const tenths = (ms: number | null) => (ms === null ? null : Math.round(ms * 10) / 10);
  return {
    ...figures,
    duration_p50_ms: tenths(figures.duration_p50_ms),
    duration_p95_ms: tenths(figures.duration_p95_ms),
    queue_p50_ms: tenths(figures.queue_p50_ms),
    queue_p95_ms: tenths(figures.queue_p95_ms),
  };
}
