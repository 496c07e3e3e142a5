import { desc, sql } from 'drizzle-orm';
import {
  bigint,
  doublePrecision,
  index,
  integer,
  json,
  jsonb,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
} from 'drizzle-orm/pg-core';

/** Where the live tables are. A rebuild fills a second schema of the same shape and takes this name over. */
export const LIVE_SCHEMA = 'toolstream';

const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3 });
const sequence = (name: string) => bigint(name, { mode: 'number' });

/**
 * States are `json`, not `jsonb`: nothing is ever searched inside them, and `jsonb` refuses what a tool may well print
 * (`\u0000`, lone surrogates). They come back exactly as they were folded.
 */
export function projectionTables(name: string) {
  const schema = pgSchema(name);

  const runs = schema.table(
    'runs',
    {
      run_id: text().primaryKey(),
      tenant: text().notNull(),
      app: text().notNull(),
      message_id: text(),
      partition: smallint().notNull(),
      epoch: text().notNull(),
      /** Stream sequence of the last event in this row. */
      seq: sequence('seq').notNull(),
      status: text().notNull(),
      accepted_at: instant('accepted_at').notNull(),
      started_at: instant('started_at'),
      ended_at: instant('ended_at'),
      tools_total: integer().notNull(),
      tools_ended: integer().notNull(),
      summary: jsonb(),
      /** The run's state without its tools. */
      state: json().notNull(),
    },
    (run) => [
      index('runs_by_app').on(run.tenant, run.app, desc(run.accepted_at), desc(run.run_id)),
      index('runs_by_tenant').on(run.tenant, desc(run.accepted_at), desc(run.run_id)),
      index('runs_by_message').on(run.tenant, run.message_id).where(sql`${run.message_id} is not null`),
      index('runs_live').on(run.run_id).where(sql`${run.ended_at} is null`),
      index('runs_live_by_app')
        .on(run.tenant, run.app, desc(run.accepted_at), desc(run.run_id))
        .where(sql`${run.ended_at} is null`),
    ],
  );

  const tools = schema.table(
    'tools',
    {
      run_id: text().notNull(),
      index: smallint().notNull(),
      tenant: text().notNull(),
      app: text().notNull(),
      name: text().notNull(),
      status: text().notNull(),
      attempt: integer().notNull(),
      queued_at: instant('queued_at'),
      started_at: instant('started_at'),
      ended_at: instant('ended_at'),
      duration_ms: doublePrecision(),
      queue_ms: doublePrecision(),
      /** Bytes of `state`: pages of a reply are cut without reading what they leave out. */
      state_bytes: integer().notNull(),
      state: json().notNull(),
      /** Of a call that failed. */
      error_code: text(),
    },
    (tool) => [
      primaryKey({ columns: [tool.run_id, tool.index] }),
      index('tools_by_name').on(tool.tenant, tool.name, tool.run_id),
      index('tools_ended').on(tool.tenant, tool.ended_at).where(sql`${tool.ended_at} is not null`),
      index('tools_learned')
        .on(tool.name, desc(tool.ended_at))
        .where(sql`${tool.status} = 'succeeded' and ${tool.duration_ms} is not null`),
    ],
  );

  /** How far each partition is applied, and who may go on from there. */
  const positions = schema.table('positions', {
    partition: smallint().primaryKey(),
    epoch: text().notNull(),
    seq: sequence('seq').notNull(),
    /** `Ts-Id` of the event at `seq`: tells a log that lost its tail and grew again from the one that was read. */
    event_id: text(),
    event_at: instant('event_at'),
    /** `<instance>/<claim>` of the active projection; null when it was given back. */
    holder: text(),
    updated_at: instant('updated_at').notNull(),
  });

  return { schema, runs, tools, positions };
}

export type ProjectionTables = ReturnType<typeof projectionTables>;
export const { schema, runs, tools, positions } = projectionTables(LIVE_SCHEMA);
