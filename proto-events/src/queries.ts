import { z } from 'zod';
import { runState, runStatus, toolState } from './state.ts';
import { runId, token } from './tokens.ts';
import { count, instant } from './values.ts';

/** A row's position: `seq` of partition `partition` in stream incarnation `epoch` is applied. */
export const rowPosition = z.object({ epoch: z.string(), partition: count, seq: count });

/** `ts.query.run`: one run's row, paged by tool index so that no reply passes the payload limit. */
export const runQuery = z.object({ tenant: token, run: runId, from_index: count.default(0) });
export const runQueryReply = z.union([
  z.object({
    found: z.literal(true),
    position: rowPosition,
    state: runState.omit({ tools: true }),
    tools: z.array(toolState),
    next_index: count.optional(),
  }),
  z.object({ found: z.literal(false) }),
]);
export type RunQueryReply = z.infer<typeof runQueryReply>;

export const runListItem = z.object({
  run_id: z.string(),
  app: token,
  message_id: token.optional(),
  status: runStatus,
  cursor: z.string(),
  accepted_at: z.string(),
  started_at: z.string().optional(),
  ended_at: z.string().optional(),
  tools_total: count,
  tools_ended: count,
  /** Names of its tools, each once, in the order of the calls: the first few. */
  tool_names: z.array(z.string()).optional(),
  /** Calls that wait for somebody's answer. */
  awaiting_approval: count.optional(),
  summary: runState.shape.summary,
});
export type RunListItem = z.infer<typeof runListItem>;

/** `ts.query.runs`: newest first. `before` is the `next` of the page before. `apps` limits to what the token allows. */
export const runsQuery = z.object({
  tenant: token,
  apps: z.union([z.literal('*'), z.array(token)]),
  app: token.optional(),
  status: z.array(runStatus).optional(),
  message_id: token.optional(),
  /** Runs with a call of this tool. */
  tool: z.string().min(1).max(128).optional(),
  /** Accepted at this time or later, and before the other. */
  since: instant.optional(),
  until: instant.optional(),
  limit: z.number().int().min(1).max(200).default(50),
  before: z.string().optional(),
});
export const runsQueryReply = z.object({ runs: z.array(runListItem), next: z.string().optional() });

/** Into how many parts of time a trend may be cut. */
export const MAX_TREND_BUCKETS = 60;
/** Trends and failures are given of so many tools at most, those with most calls first: the reply stays below 1 MiB. */
export const MAX_TREND_TOOLS = 50;

/** `ts.query.stats`: per tool, over the window ending now. `buckets`: with trends in about so many parts, and failures. */
export const statsQuery = z.object({
  tenant: token,
  apps: z.union([z.literal('*'), z.array(token)]),
  window_ms: z.number().int().min(1000),
  buckets: z.number().int().min(1).max(MAX_TREND_BUCKETS).optional(),
});
/** The figures of the calls that ended in the `bucket_ms` that begin at `at`. Parts without such calls are left out. */
export const trendPoint = z.object({
  at: instant,
  runs: count,
  succeeded: count,
  failed: count,
  duration_p50_ms: z.number().nullable(),
  duration_p95_ms: z.number().nullable(),
  queue_p50_ms: z.number().nullable(),
  queue_p95_ms: z.number().nullable(),
});
export type TrendPoint = z.infer<typeof trendPoint>;
/** How many failed calls ended with this code. */
export const failureCount = z.object({ code: z.string(), calls: count });
export type FailureCount = z.infer<typeof failureCount>;
export const toolStats = z.object({
  name: z.string(),
  runs: count,
  succeeded: count,
  failed: count,
  success_rate: z.number().nullable(),
  duration_p50_ms: z.number().nullable(),
  duration_p95_ms: z.number().nullable(),
  queue_p50_ms: z.number().nullable(),
  queue_p95_ms: z.number().nullable(),
  /** Oldest first. Only where `buckets` was asked for, and of the tools with most calls. */
  trend: z.array(trendPoint).optional(),
  /** The most frequent first, at most ten; with `trend`. */
  failures: z.array(failureCount).optional(),
});
export type ToolStats = z.infer<typeof toolStats>;
export const statsQueryReply = z.object({
  window_ms: count,
  /** Length of a trend's parts, which begin at multiples of it. With `buckets`. */
  bucket_ms: count.optional(),
  tools: z.array(toolStats),
  /** Events not yet applied, and the age of the last one applied. */
  projection: z.object({ pending: count, lag_ms: z.number().nullable() }),
});
export type StatsQueryReply = z.infer<typeof statsQueryReply>;

/** `ts.query.positions`: how far the projection is, per partition, and when the last event applied happened. */
export const positionsQueryReply = z.object({
  positions: z.array(rowPosition.extend({ event_at: instant.optional() })),
});

/** `ts.query.live`: addresses of runs that have not ended, for the orchestrator's sweep; paged by `after`. */
export const liveQuery = z.object({
  after: z.string().optional(),
  limit: z.number().int().min(1).max(1000).default(500),
});
export const liveQueryReply = z.object({
  runs: z.array(z.object({ tenant: token, app: token, run: runId, seq: count })),
  next: z.string().optional(),
});

export const queryError = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
