import { setTimeout as delay } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { declareStreams } from '@toolstream/event-log';
import { asError, type Logger, type Meter, type RunningService, serveCommands } from '@toolstream/service-kit';
import { drizzle } from 'drizzle-orm/node-postgres';
import { Estimates } from './adapters/estimates.ts';
import { migrateSchema, queryPool } from './adapters/postgres.ts';
import { pendingEvents } from './adapters/stream.ts';
import type { ProjectionConfig } from './config.ts';
import type { QueryContext } from './handlers/context.ts';
import { queryEndpoints } from './handlers/index.ts';
import { readPositions } from './handlers/positions.ts';
import { type PartitionStatus, projectionMetrics } from './metrics.ts';
import { PartitionProjector, type ProjectorOptions } from './projector.ts';
import { RebuildRunningError, rebuildTables } from './rebuild/rebuild.ts';
import { LIVE_SCHEMA, projectionTables } from './schema.ts';

export const VERSION = '0.1.0';

export interface AppContext {
  readonly config: ProjectionConfig;
  readonly instance: string;
  readonly nc: NatsConnection;
  readonly log: Logger;
  readonly meter: Meter;
  readonly signal: AbortSignal;
}

export interface ProjectionApp extends RunningService {
  statuses(): readonly PartitionStatus[];
}

const FIRST_POSTGRES_MS = 60_000;

/** Streams declared, tables migrated, one projector per partition, queries answered, estimates learned. */
export async function startProjection({
  config,
  instance,
  nc,
  log,
  meter,
  signal,
}: AppContext): Promise<ProjectionApp> {
  const partitions = Array.from({ length: config.TOOLSTREAM_PARTITIONS }, (_, partition) => partition);
  await declareStreams(nc, { mode: config.TOOLSTREAM_STREAMS, partitions: partitions.length });
  await migrated(config.DATABASE_URL, log, signal);

  const pool = queryPool(config.DATABASE_URL, config.TOOLSTREAM_PROJECTION_QUERY_CONNECTIONS, (error) =>
    log.warn({ error }, 'an idle connection to Postgres broke'),
  );
  const estimates = new Estimates({
    nc,
    pool,
    schema: LIVE_SCHEMA,
    sample: ESTIMATE_SAMPLE,
    everyMs: config.TOOLSTREAM_ESTIMATES_EVERY_MS,
    log,
  });
  const cacheChars = config.TOOLSTREAM_PROJECTION_CACHE_MB * 1024 * 1024;
  const rebuild = async (): Promise<boolean> => {
    const { DATABASE_URL: databaseUrl, TOOLSTREAM_PROJECTION_BATCH: batch } = config;
    try {
      await rebuildTables({ nc, databaseUrl, partitions: partitions.length, batch, cacheChars, log });
      return true;
    } catch (error) {
      if (error instanceof RebuildRunningError) log.info('another instance rebuilds the tables');
      else log.error({ error: asError(error) }, 'the tables could not be rebuilt; trying again');
      return false;
    }
  };
  const statuses = (): PartitionStatus[] => projectors.map((projector) => projector.status);
  const common: Omit<ProjectorOptions, 'partition'> = {
    nc,
    databaseUrl: config.DATABASE_URL,
    schema: LIVE_SCHEMA,
    instance,
    limits: {
      batch: config.TOOLSTREAM_PROJECTION_BATCH,
      paceMs: config.TOOLSTREAM_PROJECTION_PACE_MS,
      keepMs: config.TOOLSTREAM_PROJECTION_LEASE_MS / 3,
      cacheChars: Math.floor(cacheChars / partitions.length),
    },
    leaseMs: config.TOOLSTREAM_PROJECTION_LEASE_MS,
    standbyMs: Math.min(1_000, config.TOOLSTREAM_PROJECTION_LEASE_MS / 3),
    log,
    metrics: projectionMetrics(meter, statuses),
    onCommitted: ({ changed }) => estimates.note(changed),
    ...(config.TOOLSTREAM_ON_LOST_TAIL === 'rebuild' ? { onDiverged: singleFlight(rebuild) } : {}),
  };
  const projectors = partitions.map((partition) => new PartitionProjector({ ...common, partition }));
  const stopWatching = watchDisconnects(nc, () => {
    for (const projector of projectors) projector.connectionLost();
  });
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const read = { pool, db: drizzle(pool), tables: projectionTables(LIVE_SCHEMA), schema: LIVE_SCHEMA };
  const context: QueryContext = { ...read, pending: memoized(1_000, () => allPending(jsm, read)) };
  const queries = await serveCommands(nc, {
    name: 'projection',
    version: VERSION,
    description: 'Answers from the tables that are folded from the event log',
    endpoints: queryEndpoints(context, log),
    concurrency: 64,
    log,
    meter,
  });
  for (const projector of projectors) projector.start();

  return {
    statuses,
    ready: () => readiness(statuses()),
    stop: async () => {
      stopWatching();
      await Promise.all([queries.stop(), ...projectors.map((projector) => projector.stop())]);
      await estimates.stop();
      await pool.end();
    },
  };
}

const ESTIMATE_SAMPLE = 200;

/** Standing by is ready: another instance projects. */
function readiness(statuses: readonly PartitionStatus[]) {
  const checks = Object.fromEntries(
    statuses.map(({ partition, mode, reason }) => [`partition_${partition}`, reason ? `${mode}: ${reason}` : mode]),
  );
  return { ready: statuses.every(({ mode }) => mode === 'active' || mode === 'standby'), checks };
}

async function allPending(jsm: JetStreamManager, queries: Pick<QueryContext, 'db' | 'tables'>): Promise<number> {
  const { positions } = await readPositions(queries);
  const pending = await Promise.all(positions.map(({ partition, seq }) => pendingEvents(jsm, partition, seq)));
  return pending.reduce((sum, count) => sum + count, 0);
}

/** Postgres may come up after the service; but a wrong address must not look like a service that runs. */
async function migrated(url: string, log: Logger, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + FIRST_POSTGRES_MS;
  for (let tries = 1; ; tries++) {
    try {
      return await migrateSchema(url);
    } catch (error) {
      if (signal.aborted || performance.now() > deadline) throw error;
      if (tries === 1) log.warn({ error: asError(error).message }, 'Postgres is not ready yet, trying on');
      await delay(Math.min(2_000, 100 * 2 ** Math.min(tries, 5)), undefined, { signal });
    }
  }
}

/** Calls share an answer that is younger than `ms`. */
function memoized<T>(ms: number, ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | undefined;
  let askedAt = 0;
  return () => {
    if (!answer || performance.now() - askedAt > ms) {
      askedAt = performance.now();
      answer = ask();
      answer.catch(() => {
        answer = undefined;
      });
    }
    return answer;
  };
}

/** Calls made while one is under way share it. */
function singleFlight<T>(work: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined;
  return () => {
    running ??= work().finally(() => {
      running = undefined;
    });
    return running;
  };
}

function watchDisconnects(nc: NatsConnection, onDisconnect: () => void): () => void {
  let watching = true;
  void (async () => {
    for await (const status of nc.status()) {
      if (!watching) return;
      if (status.type === 'disconnect') onDisconnect();
    }
  })();
  return () => {
    watching = false;
  };
}
