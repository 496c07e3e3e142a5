import type { liveQuery, liveQueryReply } from '@toolstream/proto-events';
import { and, asc, gt, isNull } from 'drizzle-orm';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';

/** Every run that has not ended, in the order of the ids. A run that ends meanwhile is left out, none is given twice. */
export async function live(
  { db, tables: { runs } }: QueryContext,
  { after, limit }: z.infer<typeof liveQuery>,
): Promise<z.infer<typeof liveQueryReply>> {
  const rows = await db
    .select({ tenant: runs.tenant, app: runs.app, run: runs.run_id, seq: runs.seq })
    .from(runs)
    .where(and(isNull(runs.ended_at), ...(after === undefined ? [] : [gt(runs.run_id, after)])))
    .orderBy(asc(runs.run_id))
    .limit(limit + 1);
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { runs: page, ...(rows.length > limit && last ? { next: last.run } : {}) };
}
