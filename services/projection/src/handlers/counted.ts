/** Which rows the figures are of; parameters `$at`… are the tenant, the window in seconds, and the apps or null. */
export const counted = (at: number): string => `tenant = $${at} and ended_at is not null
               and ended_at > now() - make_interval(secs => $${at + 1})
               and ($${at + 2}::text[] is null or app = any($${at + 2}))
               and (status in ('succeeded', 'failed') or status = 'cancelled' and attempt > 0)`;

/** The figures of a group of such rows. */
export const FIGURES = `count(*)::float8 as runs,
               (count(*) filter (where status = 'succeeded'))::float8 as succeeded,
               (count(*) filter (where status = 'failed'))::float8 as failed,
               percentile_cont(0.5) within group (order by duration_ms) filter (where status = 'succeeded') as duration_p50_ms,
               percentile_cont(0.95) within group (order by duration_ms) filter (where status = 'succeeded') as duration_p95_ms,
               percentile_cont(0.5) within group (order by queue_ms) as queue_p50_ms,
               percentile_cont(0.95) within group (order by queue_ms) as queue_p95_ms`;
