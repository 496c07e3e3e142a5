import type { NatsConnection } from '@nats-io/nats-core';
import {
  positionsQueryReply,
  queryError,
  querySubject,
  type RunListItem,
  type RunState,
  rowPosition,
  type runQueryReply,
  type runsQuery,
  runsQueryReply,
  type StatsQueryReply,
  type statsQuery,
  statsQueryReply,
  type ToolState,
} from '@toolstream/proto-events';
import { request, UnavailableError } from '@toolstream/service-kit';
import { z } from 'zod';
import { Refusal, refusalOf } from '../problems.ts';

export type RowPosition = z.infer<typeof rowPosition>;

/** How far a partition is applied, and when the last event applied happened. */
export type AppliedPosition = z.infer<typeof positionsQueryReply>['positions'][number];

export interface Row {
  readonly state: RunState;
  readonly position: RowPosition;
}

export interface RunPage {
  readonly runs: readonly RunListItem[];
  readonly next?: string | undefined;
}

/** The projection, asked over NATS. What only helps is `undefined` when it fails; what is the answer itself is refused. */
export interface Projection {
  /** A run's row; `undefined` when there is none, or none in time. */
  run(tenant: string, run: string, deadlineMs: number): Promise<Row | undefined>;
  runs(query: z.input<typeof runsQuery>, timeoutMs?: number): Promise<RunPage>;
  stats(query: z.input<typeof statsQuery>): Promise<StatsQueryReply>;
  positions(timeoutMs: number): Promise<readonly AppliedPosition[]>;
}

const QUERY_TIMEOUT_MS = 5_000;
/** Trends are counted one after the other, and each statement of theirs ends within 10 s. */
const TRENDS_TIMEOUT_MS = 20_000;

export function projectionClient(nc: NatsConnection): Projection {
  const ask = async <T>(
    name: string,
    schema: z.ZodType<T>,
    body: unknown,
    timeoutMs = QUERY_TIMEOUT_MS,
  ): Promise<T> => {
    const answer = await request(nc, querySubject(name), body, { timeoutMs });
    const failed = queryError.safeParse(answer);
    if (failed.success) throw refusalOf(failed.data.error);
    const parsed = schema.safeParse(answer);
    if (!parsed.success) throw new Refusal('unavailable', `The projection's answer to ${name} is not understood.`);
    return parsed.data;
  };

  return {
    async run(tenant, run, deadlineMs) {
      const deadline = performance.now() + deadlineMs;
      const page = (from_index: number) =>
        ask('run', runQueryOutline, { tenant, run, from_index }, Math.max(1, deadline - performance.now()));
      try {
        return await assembled(page);
      } catch (error) {
        if (error instanceof Refusal || error instanceof UnavailableError) return undefined;
        throw error;
      }
    },
    runs: (query, timeoutMs) => ask('runs', runsQueryReply, query, timeoutMs),
    stats: (query) => ask('stats', statsQueryReply, query, query.buckets === undefined ? undefined : TRENDS_TIMEOUT_MS),
    positions: async (timeoutMs) => (await ask('positions', positionsQueryReply, {}, timeoutMs)).positions,
  };
}

type RunReply = Extract<z.infer<typeof runQueryReply>, { found: true }> | { found: false };

/** The row's state was folded by our own code: checking its outline is enough, and its size does not matter then. */
const runQueryOutline = z.custom<RunReply>((value) => {
  const reply = value as Record<string, unknown> | null;
  if (typeof reply !== 'object' || reply === null) return false;
  if (reply.found === false) return true;
  return reply.found === true && rowPosition.safeParse(reply.position).success && Array.isArray(reply.tools);
});

/** Joins the pages of one row. Pages of different positions do not belong together: then there is no row. */
async function assembled(page: (from: number) => Promise<RunReply>): Promise<Row | undefined> {
  const first = await page(0);
  if (!first.found) return undefined;
  const tools: ToolState[] = [...first.tools];
  for (let next = first.next_index; next !== undefined; ) {
    const more = await page(next);
    if (!more.found || more.state.seq !== first.state.seq) return undefined;
    tools.push(...more.tools);
    next = more.next_index;
  }
  return { state: { ...first.state, tools }, position: first.position };
}
