import type pg from 'pg';
import type { ChangedRun } from '../fold/fold-batch.ts';
import { changedTools, type RunRow, runRow, type ToolRow, toolRow } from '../fold/rows.ts';
import { type Advance, advancePosition, type Claim } from './position.ts';

/** One statement carries about this much JSON; a batch with more takes several, in the same transaction. */
const CHUNK_CHARS = 4 * 1024 * 1024;

/** Length of each written tool's state, by run: what its rows cost to keep in memory. */
export type WrittenSizes = Map<string, { run: number; tools: Map<number, number> }>;

/**
 * Writes a folded batch and its position in one transaction: all of it or nothing, and only by the holder of the
 * position. Throws {@link SupersededError} when another projection took over; after any other error nothing is known
 * about the commit, and the position must be read again.
 */
export async function writeBatch(
  client: pg.Client,
  claim: Claim,
  changed: readonly ChangedRun[],
  advance: Advance,
): Promise<WrittenSizes> {
  const { schema, partition } = claim;
  await client.query('begin');
  try {
    await advancePosition(client, claim, advance);
    const sizes = await upsert(client, schema, partition, advance.epoch, changed);
    await client.query('commit');
    return sizes;
  } catch (error) {
    await client.query('rollback').catch(() => {});
    throw error;
  }
}

async function upsert(
  client: pg.Client,
  schema: string,
  partition: number,
  epoch: string,
  changed: readonly ChangedRun[],
): Promise<WrittenSizes> {
  const sizes: WrittenSizes = new Map();
  const runs = new Chunk<RunRow>((json) => upsertRuns(client, schema, partition, epoch, json));
  const tools = new Chunk<ToolRow>((json) => upsertTools(client, schema, json));
  const begun: string[] = [];
  for (const change of changed) {
    const run = runRow(change.after);
    const size = { run: run.state.length, tools: new Map<number, number>() };
    sizes.set(run.run_id, size);
    if (!change.before) begun.push(run.run_id);
    await runs.add(run);
    for (const tool of changedTools(change)) {
      const row = toolRow(change.after, tool);
      size.tools.set(row.index, row.state.length);
      await tools.add(row);
    }
  }
  await runs.flush();
  await tools.flush();
  if (begun.length > 0) await removeLeftovers(client, schema, begun);
  return sizes;
}

/** Gathers rows up to the size of one statement. */
class Chunk<Row extends { readonly state: string }> {
  readonly #write: (json: string) => Promise<unknown>;
  #rows: Row[] = [];
  #chars = 0;

  constructor(write: (json: string) => Promise<unknown>) {
    this.#write = write;
  }

  async add(row: Row): Promise<void> {
    this.#rows.push(row);
    this.#chars += row.state.length;
    if (this.#chars >= CHUNK_CHARS) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#rows.length === 0) return;
    const json = JSON.stringify(this.#rows);
    this.#rows = [];
    this.#chars = 0;
    await this.#write(json);
  }
}

const upsertRuns = (client: pg.Client, schema: string, partition: number, epoch: string, json: string) =>
  client.query({
    name: `upsert_runs_${schema}`,
    text: `insert into ${schema}.runs as old (run_id, tenant, app, message_id, partition, epoch, seq, status, accepted_at,
             started_at, ended_at, tools_total, tools_ended, summary, state)
           select run_id, tenant, app, message_id, $2, $3, seq, status, accepted_at,
             started_at, ended_at, tools_total, tools_ended, summary, state::json
           from json_to_recordset($1) as r(run_id text, tenant text, app text, message_id text, seq bigint, status text,
             accepted_at timestamptz, started_at timestamptz, ended_at timestamptz, tools_total int, tools_ended int,
             summary jsonb, state text)
           on conflict (run_id) do update set tenant = excluded.tenant, app = excluded.app,
             message_id = excluded.message_id, epoch = excluded.epoch, seq = excluded.seq, status = excluded.status,
             accepted_at = excluded.accepted_at, started_at = excluded.started_at, ended_at = excluded.ended_at,
             tools_total = excluded.tools_total, tools_ended = excluded.tools_ended, summary = excluded.summary,
             state = excluded.state`,
    values: [json, partition, epoch],
  });

const upsertTools = (client: pg.Client, schema: string, json: string) =>
  client.query({
    name: `upsert_tools_${schema}`,
    text: `insert into ${schema}.tools as old (run_id, index, tenant, app, name, status, attempt, queued_at, started_at,
             ended_at, duration_ms, queue_ms, state_bytes, state, error_code)
           select run_id, index, tenant, app, name, status, attempt, queued_at, started_at,
             ended_at, duration_ms, queue_ms, octet_length(state), state::json, error_code
           from json_to_recordset($1) as t(run_id text, index smallint, tenant text, app text, name text, status text,
             attempt int, queued_at timestamptz, started_at timestamptz, ended_at timestamptz, duration_ms float8,
             queue_ms float8, state text, error_code text)
           on conflict (run_id, index) do update set tenant = excluded.tenant, app = excluded.app, name = excluded.name,
             status = excluded.status, attempt = excluded.attempt, queued_at = excluded.queued_at,
             started_at = excluded.started_at, ended_at = excluded.ended_at, duration_ms = excluded.duration_ms,
             queue_ms = excluded.queue_ms, state_bytes = excluded.state_bytes, state = excluded.state,
             error_code = excluded.error_code`,
    values: [json],
  });

/** A run that begins again under its id (its first life was purged) may have fewer tools than it had. */
const removeLeftovers = (client: pg.Client, schema: string, begun: readonly string[]) =>
  client.query({
    name: `remove_leftovers_${schema}`,
    text: `delete from ${schema}.tools t using ${schema}.runs r
           where r.run_id = any($1) and t.run_id = r.run_id and t.index >= r.tools_total`,
    values: [begun],
  });
