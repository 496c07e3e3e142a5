import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { mintToken, type Stack, type StackOptions, startStack } from '@toolstream/cli';
import { type Client, createClient } from '@toolstream/client';
import { fold, type Recorded } from '@toolstream/domain';
import { type EventLog, openEventLog } from '@toolstream/event-log';
import type { RunState } from '@toolstream/proto-events';
import pg from 'pg';

export const TENANT = 't1';

export interface TestStack {
  readonly stack: Stack;
  readonly url: string;
  readonly log: EventLog;
  readonly nc: NatsConnection;
  readonly database: pg.Pool;
  token(claims?: {
    tenant?: string;
    scope?: string;
    apps?: string[] | '*';
    expiresInSeconds?: number;
    sub?: string;
  }): Promise<string>;
  client(edge?: number): Client;
  /** A run's events from the log itself. */
  history(run: string): Promise<Recorded[]>;
  /** A run's state as Postgres has it. */
  row(run: string): Promise<RunState | undefined>;
  stop(): Promise<void>;
}

/** The whole product on free ports in a folder of its own, with the tools of `tools.ts` beside the bundled ones. */
export async function startTestStack(
  options: StackOptions & { env?: Record<string, string> } = {},
): Promise<TestStack> {
  const dataDir = mkdtempSync(join(tmpdir(), 'toolstream-e2e-'));
  const secret = options.jwtSecret ?? randomBytes(32).toString('hex');
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    TOOLSTREAM_TOOLS: join(import.meta.dirname, 'tools.ts'),
    LOG_LEVEL: 'warn',
    ...options.env,
  };
  const stack = await startStack({ port: 0, log: () => {}, ...options, jwtSecret: secret, dataDir, env });
  const nc = await connect({ servers: stack.natsUrl, maxReconnectAttempts: -1, reconnectTimeWait: 200 });
  const log = await openEventLog(nc, { partitions: Number(env.TOOLSTREAM_PARTITIONS ?? 1) });
  const database = new pg.Pool({ connectionString: stack.databaseUrl, max: 2 });
  database.on('error', () => {}); // Postgres is killed on purpose; queries report it themselves.
  const clients: Client[] = [];
  const token: TestStack['token'] = (claims = {}) =>
    mintToken(secret, {
      sub: 'ann',
      tenant: TENANT,
      scope: 'runs:read runs:write runs:control admin',
      apps: '*',
      ...claims,
    });
  return {
    stack,
    url: stack.edgeUrls[0]!,
    log,
    nc,
    database,
    token,
    client(edge = 0) {
      const client = createClient({ url: stack.edgeUrls[edge]!, token: () => token() });
      clients.push(client);
      return client;
    },
    async history(run) {
      const events = await log.readRun({ tenant: TENANT, run });
      return events.map((stored) => ({ event: stored.event(), seq: stored.seq }));
    },
    row: (run) => rowOf(database, run),
    async stop() {
      clients.forEach((client) => {
        client.close();
      });
      await database.end();
      await nc.close();
      await stack.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function rowOf(database: pg.Pool, run: string): Promise<RunState | undefined> {
  const { rows } = await database.query<{ state: Omit<RunState, 'tools'> }>(
    'select state from toolstream.runs where run_id = $1',
    [run],
  );
  if (!rows[0]) return undefined;
  const tools = await database.query<{ state: RunState['tools'][number] }>(
    'select state from toolstream.tools where run_id = $1 order by index',
    [run],
  );
  return { ...rows[0].state, tools: tools.rows.map((r) => r.state) };
}

export const foldOf = (history: readonly Recorded[]): RunState | undefined => fold(history);

/** Polls until `check` gives something; the error says what was waited for. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  check: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const deadline = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await check();
      if (value !== undefined && value !== false) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > deadline) {
      throw new Error(`${what}: not within ${timeoutMs} ms${last instanceof Error ? ` (${last.message})` : ''}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
