import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { freePort, isFree } from './ports.ts';
import { postgresAccount, reachableBinaries, reachableFolder } from './postgres-account.ts';
import { postgresBinaries } from './postgres-binaries.ts';
import { ensureCluster, keptPassword, postgresEnvironment } from './postgres-cluster.ts';
import { clearCrashRemains, isPostmasterOf, postmasterIsReady } from './postmaster.ts';
import { type ServerExit, ServerProcess } from './server-process.ts';
import { endLeftover, ephemeralFolder, removeServerRecord } from './server-record.ts';

export interface PostgresOptions {
  /** The cluster and the record of who serves it. Created when missing; its content is found again. */
  dataDir: string;
  /** Default: a free one. The port stays the same over `restart`. */
  port?: number;
  /** The database that `url` names; created when missing. */
  database?: string;
  logFile?: string;
  /** Keep the server out of the terminal's process group, for owners that stop their children in order. */
  detached?: boolean;
  /** Told the pid at every start, before the server is ready. */
  onSpawn?: (pid: number) => void;
  readyTimeoutMs?: number;
}

export interface PostgresServer {
  readonly url: string;
  readonly port: number;
  readonly dataDir: string;
  readonly logFile: string;
  /** The postmaster's. Undefined while it does not run. */
  readonly pid: number | undefined;
  /** Creates it when missing, and returns its address. */
  createDatabase(name: string): Promise<string>;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill9(): Promise<void>;
  /** The same port and data; also after `stop`, `kill9` or a crash. */
  restart(): Promise<void>;
  onUnexpectedExit(listener: (exit: ServerExit) => void): void;
}

interface Flavour {
  /** False: no fsync, no password. For data that nobody needs after the test. */
  durable: boolean;
  afterStop(dataDir: string): void;
}

/** A real Postgres, on the loopback address only and behind a password that is kept with the data. */
export function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  return serve(options, { durable: true, afterStop: () => {} });
}

async function serve(options: PostgresOptions, { durable, afterStop }: Flavour): Promise<PostgresServer> {
  const account = await postgresAccount(join(options.dataDir, 'pgdata'));
  const dataDir = reachableFolder(options.dataDir, account);
  const binaries = postgresBinaries();
  const home = await reachableBinaries(binaries, account);
  const pgdata = join(dataDir, 'pgdata');
  const logFile = options.logFile ?? join(dataDir, 'postgres.log');
  const password = durable ? keptPassword(dataDir) : undefined;
  const port = options.port ?? (await freePort());
  const address = (database: string) =>
    `postgres://postgres${password ? `:${password}` : ''}@127.0.0.1:${port}/${database}`;

  const server = new ServerProcess({
    name: 'postgres',
    dataDir,
    logFile,
    command: {
      file: join(home, 'bin', 'postgres'),
      args: ['-D', pgdata, ...settings(port, durable).flatMap((setting) => ['-c', setting])],
      env: postgresEnvironment(),
      ...account,
    },
    prepare: async () => {
      // SIGINT is Postgres's fast shutdown: roll back what is open and end.
      await endLeftover(dataDir, (command) => isPostmasterOf(command, pgdata), 'SIGINT');
      await ensureCluster({ folder: dataDir, pgdata, home, version: binaries.version, account, password });
      await clearCrashRemains(pgdata);
    },
    isReady: async () => postmasterIsReady(pgdata, server.pid),
    readyTimeoutMs: options.readyTimeoutMs ?? 60_000,
    stopSignals: [
      ['SIGINT', 10_000],
      ['SIGQUIT', 5_000],
    ],
    detached: options.detached ?? false,
    onSpawn: options.onSpawn,
  });
  await server.start();

  const createDatabase = async (name: string): Promise<string> => {
    // What needs no escaping in an address: clients disagree about the rest.
    if (!/^[\w-]{1,63}$/.test(name)) throw new Error(`bad_database_name: "${name}" is not 1 to 63 of [A-Za-z0-9_-].`);
    await inDatabase(address('postgres'), async (client) => {
      const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [name]);
      if (rowCount === 0) await client.query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`);
    });
    return address(name);
  };
  const stop = async () => {
    await server.stop();
    removeServerRecord(dataDir);
    afterStop(dataDir);
  };

  let url: string;
  try {
    url = await createDatabase(options.database ?? 'toolstream');
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port,
    dataDir,
    logFile,
    get pid() {
      return server.pid;
    },
    createDatabase,
    start: () => server.start(),
    stop,
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    onUnexpectedExit: (listener) => server.onUnexpectedExit(listener),
  };
}

function settings(port: number, durable: boolean): string[] {
  const common = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    // No socket files: nothing to be left behind, no path length limit.
    'unix_socket_directories=',
    // Containers often have a /dev/shm of 64 MB.
    'dynamic_shared_memory_type=mmap',
    'max_connections=100',
    'timezone=UTC',
    'log_timezone=UTC',
    'jit=off',
  ];
  const fast = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'wal_level=minimal',
    'max_wal_senders=0',
  ];
  return durable ? common : [...common, ...fast, 'shared_buffers=32MB'];
}

async function inDatabase<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  // A connection that breaks while it is idle is reported here, and again by the next query.
  client.on('error', () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** A server for one test file: its own folder and port, fast rather than durable, gone without a trace after `stop`. */
export async function startEphemeralPostgres(options: Omit<PostgresOptions, 'dataDir'> = {}): Promise<PostgresServer> {
  for (let tries = 1; ; tries++) {
    const dataDir = await ephemeralFolder('postgres');
    const discard = (folder: string) => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    const port = options.port ?? (await freePort());
    try {
      return await serve({ database: 'test', ...options, port, dataDir }, { durable: false, afterStop: discard });
    } catch (error) {
      discard(dataDir);
      // Another test may have taken the port between the look and the start.
      if (options.port !== undefined || tries === 3 || (await isFree(port))) throw error;
    }
  }
}
