import type { StatsQueryReply, statsQuery } from '@toolstream/proto-events';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';
import { counted, FIGURES } from './counted.ts';
import { type Details, details } from './stats-details.ts';

/** Parts of a trend are no shorter than this. */
const MIN_BUCKET_MS = 1_000;

/**
 * Per tool, over the calls that ended within the window. `runs`: calls that ended and were not skipped, denied or
 * cancelled before they began. Success rate: of those that succeeded or failed. Durations: of those that succeeded, so
 * that calls which fail at once do not make a tool look fast; the queue times are of all that began.
 */
export async function stats(context: QueryContext, query: z.infer<typeof statsQuery>): Promise<StatsQueryReply> {
  const { pool, schema } = context;
  const { window_ms, buckets } = query;
  const bucket_ms = buckets === undefined ? undefined : Math.max(MIN_BUCKET_MS, Math.ceil(window_ms / buckets));
  const [tools, of, lag] = await Promise.all([
    pool.query<StatsQueryReply['tools'][number]>({
      name: 'query_stats',
      text: `select name, ${FIGURES},
               (count(*) filter (where status = 'succeeded'))::float8
                 / nullif(count(*) filter (where status in ('succeeded', 'failed')), 0) as success_rate
             from ${schema}.tools
             where ${counted(1)}
             group by name order by name limit 1000`,
      values: [query.tenant, window_ms / 1000, query.apps === '*' ? null : query.apps],
    }),
    bucket_ms === undefined ? undefined : details(context, query, bucket_ms),
    projectionLag(context),
  ]);
  if (bucket_ms === undefined || !of) return { window_ms, tools: tools.rows, projection: lag };
  return { window_ms, bucket_ms, tools: tools.rows.map((tool) => withDetails(tool, of)), projection: lag };
}

const withDetails = (tool: StatsQueryReply['tools'][number], of: Details): StatsQueryReply['tools'][number] => {
  const own = of.get(tool.name);
  return own ? { ...tool, ...own } : tool;
};

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
