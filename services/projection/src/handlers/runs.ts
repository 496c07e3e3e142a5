import {
  formatCursor,
  isRunEnded,
  type RunListItem,
  type RunStatus,
  type runsQuery,
  type runsQueryReply,
} from '@toolstream/proto-events';
import { and, desc, eq, exists, gte, inArray, isNull, lt, min, type SQL, sql } from 'drizzle-orm';
import type { z } from 'zod';
import { type QueryContext, QueryRejection } from './context.ts';
import { formatPage, parsePage } from './page.ts';

/** Newest first. Paged by acceptance time and run id, so a page never depends on what is written meanwhile. */
export async function runs(
  { db, tables }: QueryContext,
  query: z.infer<typeof runsQuery>,
): Promise<z.infer<typeof runsQueryReply>> {
  const { runs } = tables;
  const conditions: SQL[] = [eq(runs.tenant, query.tenant)];
  if (query.apps !== '*') conditions.push(inArray(runs.app, query.apps));
  if (query.app !== undefined) conditions.push(eq(runs.app, query.app));
  if (query.message_id !== undefined) conditions.push(eq(runs.message_id, query.message_id));
  if (query.tool !== undefined) conditions.push(hasTool(db, tables, query.tenant, query.tool));
  if (query.since !== undefined) conditions.push(gte(runs.accepted_at, new Date(query.since)));
  if (query.until !== undefined) conditions.push(lt(runs.accepted_at, new Date(query.until)));
  if (query.status) {
    conditions.push(inArray(runs.status, query.status));
    // Says the same again, in the words of the index of live runs.
    if (!query.status.some(isRunEnded)) conditions.push(isNull(runs.ended_at));
  }
  if (query.before !== undefined) {
    const page = parsePage(query.before);
    if (!page) throw new QueryRejection('bad_cursor', '`before` must be the `next` of the page before.');
    conditions.push(sql`(${runs.accepted_at}, ${runs.run_id}) < (${page.acceptedAt}::timestamptz, ${page.runId})`);
  }
  const rows = await db
    .select(columns(tables))
    .from(runs)
    .where(and(...conditions))
    .orderBy(desc(runs.accepted_at), desc(runs.run_id))
    .limit(query.limit + 1);
  const page = rows.slice(0, query.limit);
  const last = page.at(-1);
  const more = rows.length > query.limit && last;
  const calls = await callsOf(db, tables, page);
  return {
    runs: page.map((row) => ({ ...item(row), ...calls.get(row.run_id) })),
    ...(more ? { next: formatPage({ acceptedAt: last.accepted_at.toISOString(), runId: last.run_id }) } : {}),
  };
}

const hasTool = (db: QueryContext['db'], { runs, tools }: QueryContext['tables'], tenant: string, name: string): SQL =>
  exists(
    db
      .select({ one: sql`1` })
      .from(tools)
      .where(and(eq(tools.tenant, tenant), eq(tools.name, name), eq(tools.run_id, runs.run_id))),
  );

type Calls = Pick<RunListItem, 'tool_names' | 'awaiting_approval'>;

/** What a list says of the calls of its runs, in one query for the whole page. */
async function callsOf(
  db: QueryContext['db'],
  { tools }: QueryContext['tables'],
  page: readonly { run_id: string }[],
): Promise<Map<string, Calls>> {
  if (page.length === 0) return new Map();
  const ids = page.map(({ run_id }) => run_id);
  const waits = sql<number>`count(*) filter (where ${tools.status} = 'awaiting_approval')`;
  const rows = await db
    .select({ run_id: tools.run_id, name: tools.name, first: min(tools.index), waiting: waits.mapWith(Number) })
    .from(tools)
    .where(inArray(tools.run_id, ids))
    .groupBy(tools.run_id, tools.name);
  const calls = new Map<string, { names: string[]; waiting: number }>();
  for (const { run_id, name, waiting } of rows.sort((a, b) => (a.first ?? 0) - (b.first ?? 0))) {
    const known = calls.get(run_id) ?? { names: [], waiting: 0 };
    if (known.names.length < NAMES) known.names.push(name);
    known.waiting += waiting;
    calls.set(run_id, known);
  }
  return new Map(
    [...calls].map(([run, { names, waiting }]) => [run, { tool_names: names, awaiting_approval: waiting }]),
  );
}

/** Different tools of a run that a list names. */
const NAMES = 6;

const columns = ({ runs }: QueryContext['tables']) => ({
  run_id: runs.run_id,
  app: runs.app,
  message_id: runs.message_id,
  status: runs.status,
  partition: runs.partition,
  epoch: runs.epoch,
  seq: runs.seq,
  accepted_at: runs.accepted_at,
  started_at: runs.started_at,
  ended_at: runs.ended_at,
  tools_total: runs.tools_total,
  tools_ended: runs.tools_ended,
  summary: runs.summary,
});

type Row = Omit<QueryContext['tables']['runs']['$inferSelect'], 'tenant' | 'state'>;

function item(row: Row): RunListItem {
  return {
    run_id: row.run_id,
    app: row.app,
    ...(row.message_id === null ? {} : { message_id: row.message_id }),
    status: row.status as RunStatus,
    cursor: formatCursor({ epoch: row.epoch, partition: row.partition, seq: row.seq }),
    accepted_at: row.accepted_at.toISOString(),
    ...(row.started_at === null ? {} : { started_at: row.started_at.toISOString() }),
    ...(row.ended_at === null ? {} : { ended_at: row.ended_at.toISOString() }),
    tools_total: row.tools_total,
    tools_ended: row.tools_ended,
    ...(row.summary === null ? {} : { summary: row.summary as RunListItem['summary'] }),
  };
}
