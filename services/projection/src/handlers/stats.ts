import type { StatsQueryReply, statsQuery } from '@toolstream/proto-events';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';

/**
 * Per tool, over the calls that ended within the window. `runs`: calls that ended and were not skipped, denied or
 * cancelled before they began. Success rate: of those that succeeded or failed. Durations: of those that succeeded, so
 * that calls which fail at once do not make a tool look fast; the queue times are of all that began.
 */
export async function stats(context: QueryContext, query: z.infer<typeof statsQuery>): Promise<StatsQueryReply> {
  const { pool, schema } = context;
  const [tools, lag] = await Promise.all([
    pool.query<StatsQueryReply['tools'][number]>({
      name: 'query_stats',
      text: `select name,
               count(*)::float8 as runs,
               (count(*) filter (where status = 'succeeded'))::float8 as succeeded,
               (count(*) filter (where status = 'failed'))::float8 as failed,
               (count(*) filter (where status = 'succeeded'))::float8
                 / nullif(count(*) filter (where status in ('succeeded', 'failed')), 0) as success_rate,
               percentile_cont(0.5) within group (order by duration_ms) filter (where status = 'succeeded') as duration_p50_ms,
               percentile_cont(0.95) within group (order by duration_ms) filter (where status = 'succeeded') as duration_p95_ms,
               percentile_cont(0.5) within group (order by queue_ms) as queue_p50_ms,
               percentile_cont(0.95) within group (order by queue_ms) as queue_p95_ms
             from ${schema}.tools
             where tenant = $1 and ended_at is not null and ended_at > now() - make_interval(secs => $2)
               and ($3::text[] is null or app = any($3))
               and (status in ('succeeded', 'failed') or status = 'cancelled' and attempt > 0)
             group by name order by name limit 1000`,
      values: [query.tenant, query.window_ms / 1000, query.apps === '*' ? null : query.apps],
    }),
    projectionLag(context),
  ]);
  return { window_ms: query.window_ms, tools: tools.rows, projection: lag };
}

/** With nothing waiting the rows are as new as the log, however long ago the last event was. */
async function projectionLag({ pool, schema, pending }: QueryContext): Promise<StatsQueryReply['projection']> {
  const waiting = await pending();
  if (waiting === 0) return { pending: 0, lag_ms: 0 };
  const { rows } = await pool.query<{ lag_ms: number | null }>(
    `select (extract(epoch from now() - min(event_at)) * 1000)::float8 as lag_ms from ${schema}.positions`,
  );
  const lag = rows[0]?.lag_ms ?? null;
  return { pending: waiting, lag_ms: lag === null ? null : Math.max(0, Math.round(lag)) };
}
