import type { ErrorCode } from '@toolstream/proto-events';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import type pg from 'pg';
import type { ProjectionTables } from '../schema.ts';

export interface QueryContext {
  readonly pool: pg.Pool;
  readonly db: NodePgDatabase;
  readonly tables: ProjectionTables;
  readonly schema: string;
  /** Events of all partitions that are in the log and not in the rows. */
  pending(): Promise<number>;
}

/** A refusal that the asker can understand. */
export class QueryRejection extends Error {
  override readonly name = 'QueryRejection';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
