import { fileURLToPath } from 'node:url';
import { within } from '@toolstream/service-kit';
import { drizzle } from 'drizzle-orm/node-postgres';
import { migrate } from 'drizzle-orm/node-postgres/migrator';
import pg from 'pg';

export const MIGRATIONS_FOLDER = fileURLToPath(new URL('../../drizzle', import.meta.url));
/** Apart from the tables: a rebuild replaces their schema whole. */
const MIGRATIONS_SCHEMA = 'toolstream_migrations';
const MIGRATION_LOCK = 0x7453_0001;

/** A connection of its own that notices a dead server: no statement, and no silence, lasts longer than this. */
export async function connectPostgres(url: string, name: string, statementMs = 30_000): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: name,
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    statement_timeout: statementMs,
    query_timeout: statementMs + 5_000,
    // A writer that freezes between two statements must not hold the position's lock against its successor.
    idle_in_transaction_session_timeout: 5_000,
  });
  // A connection that breaks while it is idle; the next statement reports it again.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (error) {
    await closePostgres(client);
    throw error;
  }
  return client;
}

/** Never throws, never waits long: the connection may be broken. */
export async function closePostgres(client: pg.Client): Promise<void> {
  await within(
    1_000,
    client.end().catch(() => {}),
  );
}

/** Connections for queries, few and short: a flood of them waits here and never slows the writer. */
export function queryPool(url: string, max: number, onIdleError: (error: Error) => void): pg.Pool {
  const pool = new pg.Pool({
    connectionString: url,
    application_name: 'toolstream-projection-queries',
    max,
    connectionTimeoutMillis: 3_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    statement_timeout: 10_000,
    query_timeout: 12_000,
  });
  pool.on('error', onIdleError);
  return pool;
}

/** Brings the schema up to date. Several starters at once wait for each other; the work is done once. */
export async function migrateSchema(url: string): Promise<void> {
  const client = await connectPostgres(url, 'toolstream-projection-migrations', 15 * 60_000);
  try {
    await client.query('select pg_advisory_lock($1)', [MIGRATION_LOCK]);
    // Rows that a crash takes back are written again; tables that it takes back would be missed until the next start.
    await client.query('set synchronous_commit = on');
    await migrate(drizzle(client), { migrationsFolder: MIGRATIONS_FOLDER, migrationsSchema: MIGRATIONS_SCHEMA });
  } finally {
    // The lock ends with the session.
    await closePostgres(client);
  }
}
