import type { StatsQueryReply, statsQuery } from '@toolstream/proto-events';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';
import { counted, FIGURES } from './counted.ts';
import { SharedAnswers } from './shared-answers.ts';
import { withDetails } from './stats-details.ts';

type Query = z.infer<typeof statsQuery>;

/** Parts of a trend are no shorter than this. */
const MIN_BUCKET_MS = 1_000;
/** Trends are kept for so small a part of their window, and no longer than a minute: 5 s of an hour. */
const KEPT_PART = 720;
const MAX_KEPT_MS = 60_000;

/**
 * Per tool, over the calls that ended within the window. `runs`: calls that ended and were not skipped, denied or
 * cancelled before they began. Success rate: of those that succeeded or failed. Durations: of those that succeeded, so
 * that calls which fail at once do not make a tool look fast; the queue times are of all that began. With `buckets` the
 * answer may be some seconds old.
 */
export function statsOf(context: QueryContext): (query: Query) => Promise<StatsQueryReply> {
  const trends = new SharedAnswers<StatsQueryReply>({ waiting: 16, kept: 32 });
  return async (query) => {
    const { window_ms, buckets } = query;
    if (buckets === undefined) {
      const [tools, projection] = await Promise.all([figures(context, query), projectionLag(context)]);
      return { window_ms, tools, projection };
    }
    const key = JSON.stringify([query.tenant, query.apps, window_ms, buckets]);
    return trends.get(key, Math.min(MAX_KEPT_MS, window_ms / KEPT_PART), async () => {
      const bucket_ms = Math.max(MIN_BUCKET_MS, Math.ceil(window_ms / buckets));
      const tools = await withDetails(context, query, bucket_ms, await figures(context, query));
      return { window_ms, bucket_ms, tools, projection: await projectionLag(context) };
    });
  };
}

async function figures({ pool, schema }: QueryContext, query: Query): Promise<StatsQueryReply['tools']> {
  const { rows } = await pool.query<StatsQueryReply['tools'][number]>({
    name: 'query_stats',
    text: `select name, ${FIGURES},
             (count(*) filter (where status = 'succeeded'))::float8
               / nullif(count(*) filter (where status in ('succeeded', 'failed')), 0) as success_rate
           from ${schema}.tools
           where ${counted(1)}
           group by name order by name limit 1000`,
    values: [query.tenant, query.window_ms / 1000, query.apps === '*' ? null : query.apps],
  });
  return rows;
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
