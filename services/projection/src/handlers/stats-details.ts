import { MAX_TREND_TOOLS, type StatsQueryReply, type statsQuery, type TrendPoint } from '@toolstream/proto-events';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';
import { counted, FIGURES } from './counted.ts';

/** Tool → its trend and failures. */
export type Details = ReadonlyMap<string, Required<Pick<StatsQueryReply['tools'][number], 'trend' | 'failures'>>>;

const FAILURE_CODES = 10;

/**
 * Trends and failures of the tools with most calls. Parts of time begin at multiples of their length, so that a trend
 * read again later has the same parts; the first of a window is cut off by its begin.
 */
export async function details(
  { pool, schema }: QueryContext,
  query: z.infer<typeof statsQuery>,
  bucketMs: number,
): Promise<Details> {
  const values = [query.tenant, query.window_ms / 1000, query.apps === '*' ? null : query.apps, MAX_TREND_TOOLS];
  const ended = `ended as materialized (
               select name, status, ended_at, duration_ms, queue_ms, error_code from ${schema}.tools where ${counted(1)}
             ), chosen as (
               select name from ended group by name order by count(*) desc, name limit $4
             )`;
  const [points, codes] = await Promise.all([
    pool.query<Omit<TrendPoint, 'at'> & { name: string; bucket: number }>({
      name: 'query_stats_trend',
      text: `with ${ended}
             select name, floor(extract(epoch from ended_at) * 1000 / $5)::float8 as bucket, ${FIGURES}
             from ended join chosen using (name)
             group by name, bucket order by name, bucket`,
      values: [...values, bucketMs],
    }),
    pool.query<{ name: string; code: string; calls: number }>({
      name: 'query_stats_failures',
      text: `with ${ended}, counted as (
               select name, error_code as code, count(*) as calls,
                 row_number() over (partition by name order by count(*) desc, error_code) as place
               from ended join chosen using (name) where status = 'failed' and error_code is not null
               group by name, error_code
             )
             select name, code, calls::float8 as calls from counted where place <= $5 order by name, place`,
      values: [...values, FAILURE_CODES],
    }),
  ]);
  const failures = Map.groupBy(codes.rows, ({ name }) => name);
  return new Map(
    [...Map.groupBy(points.rows, ({ name }) => name)].map(([name, rows]) => [
      name,
      {
        trend: rows.map(({ name: _name, bucket, ...figures }) => ({
          at: new Date(bucket * bucketMs).toISOString(),
          ...shortened(figures),
        })),
        failures: (failures.get(name) ?? []).map(({ code, calls }) => ({ code, calls })),
      },
    ]),
  );
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
