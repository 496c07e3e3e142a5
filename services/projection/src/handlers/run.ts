import type { RunQueryReply, runQuery } from '@toolstream/proto-events';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';

/** Bytes of tool states in one reply; a single larger one travels alone. */
const PAGE_BYTES = 512 * 1024 - 64 * 1024;

/**
 * One run's rows, as of one moment: run, tools and position come from a single statement. Pages of the same run belong
 * together when `state.seq` is the same in each.
 */
export async function run({ pool, schema }: QueryContext, query: z.infer<typeof runQuery>): Promise<RunQueryReply> {
  const { rows } = await pool.query<{
    partition: number;
    epoch: string;
    seq: number;
    state: string;
    tools_total: number;
    tools: string[] | null;
  }>({
    name: 'query_run',
    text: `with page as (
             select index, sum(state_bytes) over (order by index) - state_bytes as before
             from ${schema}.tools where run_id = $1 and index >= $2
           )
           select r.partition, r.epoch, r.tools_total, r.state::text as state,
             (case when p.epoch = r.epoch then greatest(p.seq, r.seq) else r.seq end)::float8 as seq,
             (select array_agg(t.state::text order by t.index)
              from ${schema}.tools t join page on page.index = t.index
              where t.run_id = r.run_id and page.before < $4) as tools
           from ${schema}.runs r left join ${schema}.positions p on p.partition = r.partition
           where r.run_id = $1 and r.tenant = $3`,
    values: [query.run, query.from_index, query.tenant, PAGE_BYTES],
  });
  const row = rows[0];
  if (!row) return { found: false };
  const tools = row.tools ?? [];
  const next = query.from_index + tools.length;
  return {
    found: true,
    position: { epoch: row.epoch, partition: row.partition, seq: row.seq },
    state: JSON.parse(row.state),
    tools: tools.map((tool) => JSON.parse(tool)),
    ...(next < row.tools_total && tools.length > 0 ? { next_index: next } : {}),
  };
}
