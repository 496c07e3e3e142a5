import { setTimeout as delay } from 'node:timers/promises';
import { jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import { fold } from '@toolstream/domain';
import { declareStreams, encodeEvent } from '@toolstream/event-log';
import {
  HEADER_ID,
  HEADER_TYPE,
  type RunState,
  type ToolState,
  type ToolstreamEvent,
  writerOf,
  writerSubject,
} from '@toolstream/proto-events';
import { connectNats, createLogger, startTelemetry, type Telemetry } from '@toolstream/service-kit';
import { type NatsServer, type PostgresServer, startEphemeralNats, startEphemeralPostgres } from '@toolstream/testkit';
import pg from 'pg';
import { type ProjectionApp, type ProjectionConfig, projectionConfig, startProjection } from '../src/index.ts';

export const SILENT = createLogger({ name: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent' });

export interface Servers {
  readonly nats: NatsServer;
  readonly postgres: PostgresServer;
  stop(): Promise<void>;
}

export async function startServers(): Promise<Servers> {
  const [nats, postgres] = await Promise.all([startEphemeralNats(), startEphemeralPostgres()]);
  return { nats, postgres, stop: async () => void (await Promise.all([nats.stop(), postgres.stop()])) };
}

export const connectTo = (nats: NatsServer): Promise<NatsConnection> => connectNats(nats.url, 'test', SILENT);

export interface TestProjection {
  readonly app: ProjectionApp;
  readonly nc: NatsConnection;
  readonly telemetry: Telemetry;
  stop(): Promise<void>;
}

/** The service as `main.ts` starts it, on a connection of its own. */
export async function startTestProjection(
  { nats }: Pick<Servers, 'nats'>,
  databaseUrl: string,
  env: Partial<Record<keyof ProjectionConfig, string>> = {},
  instance = 'projection-1',
): Promise<TestProjection> {
  const config = projectionConfig.parse({ NATS_URL: nats.url, DATABASE_URL: databaseUrl, ...env });
  const nc = await connectTo(nats);
  const telemetry = await startTelemetry({ name: 'projection', instance, log: SILENT });
  const abort = new AbortController();
  const app = await startProjection({
    config,
    instance,
    nc,
    log: SILENT,
    meter: telemetry.meter,
    signal: abort.signal,
  });
  return {
    app,
    nc,
    telemetry,
    stop: async () => {
      abort.abort();
      await app.stop();
      await nc.close();
      await telemetry.shutdown();
    },
  };
}

/** Appends events as they come, in order, many in flight. Returns the last one's sequence. */
export async function publish(nc: NatsConnection, events: readonly ToolstreamEvent[]): Promise<number> {
  const js = jetstream(nc);
  let last = 0;
  for (let at = 0; at < events.length; at += 500) {
    const acks = await Promise.all(
      events.slice(at, at + 500).map((event) => {
        const h = headers();
        h.set(HEADER_ID, event.id);
        h.set(HEADER_TYPE, event.type);
        const address = { tenant: event.tenant, app: event.app, run: event.runid };
        return js.publish(writerSubject(address, writerOf(event)), encodeEvent(event), { headers: h, timeout: 20_000 });
      }),
    );
    last = Math.max(last, ...acks.map(({ seq }) => seq));
  }
  return last;
}

export const declare = (nc: NatsConnection, partitions = 1): Promise<void> =>
  declareStreams(nc, { mode: 'create', partitions });

/** Asks until the answer is right, or fails with the last one. */
export async function until<T>(ask: () => Promise<T>, right: (answer: T) => boolean, ms = 20_000): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask().catch((error: unknown) => error as T);
    if (right(answer)) return answer;
    if (performance.now() > deadline) throw new Error(`not so after ${ms} ms: ${JSON.stringify(answer)} ${answer}`);
    await delay(20);
  }
}

/** Direct sight of the tables, past the service. */
export class Tables {
  readonly pool: pg.Pool;

  constructor(url: string) {
    this.pool = new pg.Pool({ connectionString: url, max: 2 });
    this.pool.on('error', () => {});
  }

  async position(partition = 0): Promise<{ epoch: string; seq: number; holder: string | null }> {
    const { rows } = await this.pool.query(
      'select epoch, seq::float8 as seq, holder from toolstream.positions where partition = $1',
      [partition],
    );
    return rows[0] ?? { epoch: '', seq: -1, holder: null };
  }

  reached = (seq: number, partition = 0, ms = 20_000) =>
    until(
      () => this.position(partition),
      (position) => position.seq >= seq,
      ms,
    );

  /** Every run's state, put together from its rows. */
  async states(): Promise<Map<string, RunState>> {
    const runs = await this.pool.query<{ run_id: string; state: RunState }>(
      'select run_id, state from toolstream.runs',
    );
    const tools = await this.pool.query<{ run_id: string; state: ToolState }>(
      'select run_id, state from toolstream.tools order by run_id, index',
    );
    const byRun = Map.groupBy(tools.rows, ({ run_id }) => run_id);
    return new Map(
      runs.rows.map(({ run_id, state }) => [
        run_id,
        { ...state, tools: (byRun.get(run_id) ?? []).map((tool) => tool.state) },
      ]),
    );
  }

  async end(): Promise<void> {
    await this.pool.end();
  }
}

/** What the rows must say: the fold of the log, as JSON keeps it. `first`: sequence of the log's first event. */
export function expectedStates(log: readonly ToolstreamEvent[], first = 1): Map<string, RunState> {
  const recorded = log.map((event, i) => ({ event, seq: first + i }));
  const byRun = Map.groupBy(recorded, ({ event }) => event.runid);
  return new Map(
    [...byRun].flatMap(([run, events]) => {
      const state = fold(events);
      return state ? [[run, JSON.parse(JSON.stringify(state)) as RunState] as const] : [];
    }),
  );
}
