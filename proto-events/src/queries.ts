import { z } from 'zod';
import { runState, runStatus, toolState } from './state.ts';
import { runId, token } from './tokens.ts';
import { count } from './values.ts';

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
  limit: z.number().int().min(1).max(200).default(50),
  before: z.string().optional(),
});
export const runsQueryReply = z.object({ runs: z.array(runListItem), next: z.string().optional() });

/** `ts.query.stats`: per tool, over the window ending now. */
export const statsQuery = z.object({
  tenant: token,
  apps: z.union([z.literal('*'), z.array(token)]),
  window_ms: z.number().int().min(1000),
});
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
});
export const statsQueryReply = z.object({
  window_ms: count,
  tools: z.array(toolStats),
  /** Events not yet applied, and the age of the last one applied. */
  projection: z.object({ pending: count, lag_ms: z.number().nullable() }),
});
export type StatsQueryReply = z.infer<typeof statsQueryReply>;

/** `ts.query.positions`: how far the projection is, per partition. */
export const positionsQueryReply = z.object({ positions: z.array(rowPosition) });

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
