import { createHash } from 'node:crypto';
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { natsServerBinary } from './nats-server-binary.ts';
import { freePort, isFree } from './ports.ts';
import { type ServerExit, ServerProcess } from './server-process.ts';
import { endLeftover, ephemeralFolder, removeServerRecord } from './server-record.ts';

export interface NatsOptions {
  /** Streams, configuration and the record of who serves them. Created when missing; its content is found again. */
  dataDir: string;
  /** Default: a free one. The port stays the same over `restart`. */
  port?: number;
  monitorPort?: number;
  maxPayload?: number;
  /** Refuses further messages beyond this many bytes on disk. */
  maxFileStore?: number;
  /**
   * How often the server makes its files durable against power loss (`always`: before every acknowledgement, 2 to 5 times
   * slower). A killed process loses nothing either way: the operating system holds what was written.
   */
  syncInterval?: string;
  logFile?: string;
  /** Keep the server out of the terminal's process group, for owners that stop their children in order. */
  detached?: boolean;
  /** Told the pid at every start, before the server is ready. */
  onSpawn?: (pid: number) => void;
  readyTimeoutMs?: number;
}

export interface NatsServer {
  readonly url: string;
  readonly port: number;
  readonly monitorUrl: string | undefined;
  readonly dataDir: string;
  readonly logFile: string;
  readonly version: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL, as a crash would. */
  kill9(): Promise<void>;
  /** The same port and data; also after `stop`, `kill9` or a crash. */
  restart(): Promise<void>;
  onUnexpectedExit(listener: (exit: ServerExit) => void): void;
}

/** A real nats-server with JetStream on disk, on the loopback address only. Ready means: JetStream answers. */
export function startNats(options: NatsOptions): Promise<NatsServer> {
  return serve(options, () => {});
}

async function serve(options: NatsOptions, afterStop: () => void): Promise<NatsServer> {
  const binary = await natsServerBinary();
  mkdirSync(options.dataDir, { recursive: true });
  const dataDir = realpathSync(options.dataDir);
  const port = options.port ?? (await freePort());
  const configFile = join(dataDir, 'nats.conf');
  const logFile = options.logFile ?? join(dataDir, 'nats.log');
  const name = `toolstream-${createHash('sha256').update(dataDir).digest('hex').slice(0, 12)}`;
  writeFileSync(configFile, configuration(options, name, dataDir, port));

  const server = new ServerProcess({
    name: 'nats',
    dataDir,
    logFile,
    command: { file: binary.path, args: ['-c', configFile] },
    prepare: () => endLeftover(dataDir, (command) => command.endsWith(`-c ${configFile}`), 'SIGTERM'),
    isReady: () => jetstreamAnswers(port, name),
    readyTimeoutMs: options.readyTimeoutMs ?? 60_000,
    stopSignals: [['SIGTERM', 10_000]],
    detached: options.detached ?? false,
    onSpawn: options.onSpawn,
  });
  await server.start();

  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    monitorUrl: options.monitorPort === undefined ? undefined : `http://127.0.0.1:${options.monitorPort}`,
    dataDir,
    logFile,
    version: binary.version,
    get pid() {
      return server.pid;
    },
    start: () => server.start(),
    stop: async () => {
      await server.stop();
      removeServerRecord(dataDir);
      afterStop();
    },
    kill9: () => server.kill9(),
    restart: () => server.restart(),
    onUnexpectedExit: (listener) => server.onUnexpectedExit(listener),
  };
}

/** The server's configuration format is a superset of JSON. */
function configuration(options: NatsOptions, name: string, dataDir: string, port: number): string {
  const { monitorPort, maxPayload = 1 << 20, maxFileStore, syncInterval = '10s' } = options;
  const jetstream = {
    store_dir: dataDir,
    sync_interval: syncInterval,
    ...(maxFileStore === undefined ? {} : { max_file_store: maxFileStore }),
  };
  return JSON.stringify(
    {
      server_name: name,
      host: '127.0.0.1',
      port,
      ...(monitorPort === undefined ? {} : { http: `127.0.0.1:${monitorPort}` }),
      max_payload: maxPayload,
      jetstream,
    },
    null,
    2,
  );
}

/** The name tells our server from another that happens to sit on the port while ours fails to take it. */
async function jetstreamAnswers(port: number, name: string): Promise<boolean> {
  try {
    const connection = await connect({ port, reconnect: false, timeout: 2_000 });
    try {
      if (connection.info?.server_name !== name) return false;
      await jetstreamManager(connection, { timeout: 2_000 });
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}

/** A server for one test file: its own folder and port, gone without a trace after `stop`. */
export async function startEphemeralNats(options: Omit<NatsOptions, 'dataDir'> = {}): Promise<NatsServer> {
  for (let tries = 1; ; tries++) {
    const dataDir = await ephemeralFolder('nats');
    const discard = () => rmSync(dataDir, { recursive: true, force: true, maxRetries: 3 });
    const port = options.port ?? (await freePort());
    try {
      return await serve({ syncInterval: '2m', ...options, port, dataDir }, discard);
    } catch (error) {
      discard();
      // Another test may have taken the port between the look and the start.
      if (options.port !== undefined || tries === 3 || (await isFree(port))) throw error;
    }
  }
}
