import { readMigrationFiles } from 'drizzle-orm/migrator';
import type pg from 'pg';
import { MIGRATIONS_FOLDER } from '../adapters/postgres.ts';
import { LIVE_SCHEMA } from '../schema.ts';

export const SHADOW_SCHEMA = 'toolstream_rebuild';

/** Tables of the same shape beside the live ones, made by the same migrations; what an earlier rebuild left goes first. */
export async function createShadow(client: pg.Client): Promise<void> {
  await client.query(`drop schema if exists ${SHADOW_SCHEMA} cascade`);
  for (const { sql } of readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER })) {
    for (const statement of sql) await client.query(statement.replaceAll(`"${LIVE_SCHEMA}"`, `"${SHADOW_SCHEMA}"`));
  }
}

export const dropShadow = (client: pg.Client) => client.query(`drop schema if exists ${SHADOW_SCHEMA} cascade`);

/** Runs that retention has taken out of the log, and which therefore only the rows still know. */
export interface CarryOver {
  readonly partition: number;
  /** Epoch of the rows that are there, and the one that they get. */
  readonly from: string;
  readonly to: string;
  /** Rows behind this sequence are not carried over: what they were made from may be lost. */
  readonly upTo: number;
}

/** Ended runs only: a live one that the log does not know is no run. */
export async function carryOver(client: pg.Client, { partition, from, to, upTo }: CarryOver): Promise<number> {
  const { rows } = await client.query<{ run_id: string }>(
    `insert into ${SHADOW_SCHEMA}.runs
     select * from ${LIVE_SCHEMA}.runs live
     where partition = $1 and epoch = $2 and seq <= $3 and ended_at is not null
       and not exists (select 1 from ${SHADOW_SCHEMA}.runs made where made.run_id = live.run_id)
     returning run_id`,
    [partition, from, upTo],
  );
  const runs = rows.map(({ run_id }) => run_id);
  if (from !== to) {
    await client.query(`update ${SHADOW_SCHEMA}.runs set epoch = $1 where run_id = any($2)`, [to, runs]);
  }
  await client.query(`insert into ${SHADOW_SCHEMA}.tools select * from ${LIVE_SCHEMA}.tools where run_id = any($1)`, [
    runs,
  ]);
  return runs.length;
}

/**
 * The last step, inside the transaction that holds the live positions: the shadow becomes the live schema, the old one
 * is kept under the name given. Nobody holds a position afterwards, and whoever still believes to finds no row.
 */
export async function swap(client: pg.Client, keptAs: string): Promise<void> {
  await client.query(`update ${LIVE_SCHEMA}.positions set holder = null`);
  await client.query(`update ${SHADOW_SCHEMA}.positions set holder = null`);
  await client.query(`alter schema ${LIVE_SCHEMA} rename to ${keptAs}`);
  await client.query(`alter schema ${SHADOW_SCHEMA} rename to ${LIVE_SCHEMA}`);
}
