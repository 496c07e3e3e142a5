import type { positionsQueryReply } from '@toolstream/proto-events';
import { asc } from 'drizzle-orm';
import type { z } from 'zod';
import type { QueryContext } from './context.ts';

export async function readPositions({
  db,
  tables: { positions },
}: Pick<QueryContext, 'db' | 'tables'>): Promise<z.infer<typeof positionsQueryReply>> {
  const { epoch, partition, seq, event_at } = positions;
  const rows = await db.select({ epoch, partition, seq, event_at }).from(positions).orderBy(asc(positions.partition));
  return {
    positions: rows.map(({ event_at, ...position }) => ({
      ...position,
      ...(event_at === null ? {} : { event_at: event_at.toISOString() }),
    })),
  };
}
