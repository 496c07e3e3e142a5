import { startEphemeralPostgres } from '@toolstream/testkit';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import pg from 'pg';
import { expect, it } from 'vitest';
import { MIGRATIONS_FOLDER } from '../src/adapters/postgres.ts';

it('Rows that are there before the column of error codes get theirs, as far as Postgres can read them', async () => {
  const postgres = await startEphemeralPostgres();
  const client = new pg.Client(postgres.url);
  try {
    await client.connect();
    const [tables, room, codes, ...later] = readMigrationFiles({ migrationsFolder: MIGRATIONS_FOLDER });
    for (const statement of [...tables!.sql, ...room!.sql]) await client.query(statement);
    const add = (run: string, status: string, state: string, daysAgo = 0) =>
      client.query(
        `insert into toolstream.tools (run_id, index, tenant, app, name, status, attempt, ended_at, state_bytes, state)
         values ($1, 0, 't1', 'app1', 'grep', $2, 1, now() - make_interval(days => $4), 1, $3)`,
        [run, status, state, daysAgo],
      );
    await add('failed', 'failed', '{"arguments":{"error":{"code":"not this"}},"error":{"code":"timeout"}}');
    await add('unreadable', 'failed', '{"output":"\\u0000","error":{"code":"timeout"}}');
    await add('old', 'failed', '{"error":{"code":"timeout"}}', 40);
    await add('good', 'succeeded', '{"result":1}');
    for (const { sql } of [codes!, ...later]) for (const statement of sql) await client.query(statement);
    const { rows } = await client.query('select run_id, error_code from toolstream.tools order by run_id');
    expect(rows).toEqual([
      { run_id: 'failed', error_code: 'timeout' },
      { run_id: 'good', error_code: null },
      { run_id: 'old', error_code: null },
      { run_id: 'unreadable', error_code: null },
    ]);
  } finally {
    await client.end();
    await postgres.stop();
  }
});
