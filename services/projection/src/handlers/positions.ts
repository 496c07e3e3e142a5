import type { positionsQueryReply } from '@toolstream/proto-events';
import { asc } from 'drizzle-orm';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';

export async function readPositions({
  db,
  tables: { positions },
}: Pick<QueryContext, 'db' | 'tables'>): Promise<z.infer<typeof positionsQueryReply>> {
  const rows = await db
    .select({ epoch: positions.epoch, partition: positions.partition, seq: positions.seq })
    .from(positions)
    .orderBy(asc(positions.partition));
  return { positions: rows };
}
