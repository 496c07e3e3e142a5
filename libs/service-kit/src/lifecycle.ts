import type { NatsConnection } from '@nats-io/nats-core';
import type { z } from 'zod';
import { type BaseConfig, type baseConfig, EXIT_CONFIG, loadConfig } from './config.ts';
import { asError } from './errors.ts';
import { type HealthServer, type ReadyReport, startHealthServer } from './health.ts';
import { createLogger, type Logger } from './logger.ts';
import { connectNats, isConnected, observeConnection } from './nats.ts';
import { type RunningService, ServiceLife } from './service-life.ts';
import { type Meter, startTelemetry, type Tracer } from './telemetry.ts';
import { within } from './within.ts';

export interface ServiceContext<C extends BaseConfig = BaseConfig> {
  readonly name: string;
  /** `TOOLSTREAM_INSTANCE`, else `<name>-<pid>`. */
  readonly instance: string;
  readonly config: C;
  readonly log: Logger;
  readonly nc: NatsConnection;
  readonly meter: Meter;
  readonly tracer: Tracer;
  /** Aborted when the service begins to stop, also while it still starts. */
  readonly signal: AbortSignal;
  /** Called after the service's own `stop`, last registered first; also when `start` fails half way. */
  onStop(stop: () => void | Promise<void>): void;
  /** What `/readyz` and `/metrics` answer, for a service that serves them on its own port. */
  readiness(): Promise<ReadyReport>;
  metricsText(): Promise<string>;
}

export interface ServiceDefinition<S extends z.ZodObject<typeof baseConfig>> {
  readonly name: string;
  readonly version?: string;
  readonly config: S;
  /** From the signal to exit code 1, whatever still runs; may depend on the configuration. Default 20 s. */
  readonly stopTimeoutMs?: number | ((config: z.infer<S>) => number);
  start(context: ServiceContext<z.infer<S>>): Promise<RunningService>;
}

/**
 * The life of a service process: configuration, log, telemetry, NATS, `start`, health server, `{type:'ready'}` to the
 * parent. It ends on SIGTERM or SIGINT, or when the parent that holds its IPC channel is gone, by one orderly stop within a
 * deadline. Exit codes: 0 stopped in order, 1 failed (start it again), 78 wrong configuration (a restart would not help).
 */
export async function runService<S extends z.ZodObject<typeof baseConfig>>(
  definition: ServiceDefinition<S>,
): Promise<void> {
  const { name, stopTimeoutMs = 20_000 } = definition;
  const config = configOrExit(definition.config);
  const instance = config.TOOLSTREAM_INSTANCE ?? `${name}-${process.pid}`;
  const log = createLogger({ name, level: config.LOG_LEVEL, instance });
  const life = new ServiceLife(log, typeof stopTimeoutMs === 'number' ? stopTimeoutMs : stopTimeoutMs(config));
  life.listen();
  try {
    await startUp(definition, config, instance, log, life);
  } catch (error) {
    // A start that is interrupted by a stop fails as a matter of course; the stop then ends the process.
    if (life.signal.aborted) return;
    await life.abandonStart();
    life.fail(error, 'the service could not start');
  }
}

function configOrExit<S extends z.ZodObject<typeof baseConfig>>(schema: S): z.infer<S> {
  try {
    return loadConfig(schema);
  } catch (error) {
    process.stderr.write(`${asError(error).message}\n`);
    process.exit(EXIT_CONFIG);
  }
}

async function startUp<S extends z.ZodObject<typeof baseConfig>>(
  definition: ServiceDefinition<S>,
  config: z.infer<S>,
  instance: string,
  log: Logger,
  life: ServiceLife,
): Promise<void> {
  const { name } = definition;
  const { OTEL_EXPORTER_OTLP_ENDPOINT: otlpEndpoint, TOOLSTREAM_HEALTH_PORT: healthPort } = config;
  const telemetry = await startTelemetry({ name, instance, version: definition.version, otlpEndpoint, log });
  life.onLast(() => telemetry.shutdown());

  const nc = await connectNats(config.NATS_URL, instance, log, {
    credsFile: config.NATS_CREDS_FILE,
    nkeySeed: config.NATS_NKEY_SEED,
    signal: life.signal,
  });
  life.onLast(() => leaveNats(nc));
  void nc.closed().then((reason) => {
    if (!life.signal.aborted) life.fail(reason ?? 'closed by the client', 'the connection to NATS is gone for good');
  });
  observeConnection(nc, telemetry.meter);
  life.throwIfStopping();

  let running: RunningService | undefined;
  const readiness = async (): Promise<ReadyReport> => {
    const own = await soon(running?.ready?.() ?? { ready: running !== undefined });
    const checks = { ...own.checks, nats: isConnected(nc), draining: life.signal.aborted };
    return { ready: own.ready && checks.nats && !checks.draining, checks };
  };
  const metricsText = () => telemetry.metricsText();
  let health: HealthServer | undefined;
  if (healthPort !== undefined) {
    health = await startHealthServer({
      host: config.TOOLSTREAM_HEALTH_HOST,
      port: healthPort,
      log,
      readiness,
      metricsText,
    });
    life.onLast(() => health?.close());
  }

  running = await definition.start({
    name,
    instance,
    config,
    log,
    nc,
    meter: telemetry.meter,
    tracer: telemetry.tracer,
    signal: life.signal,
    onStop: (stop) => life.onStop(stop),
    readiness,
    metricsText,
  });
  life.started(running);
  life.throwIfStopping();
  const port = running.port ?? health?.port;
  log.info({ port, healthPort: health?.port }, 'ready');
  // A parent that is gone by now is noticed by its closed channel, not by this message failing.
  process.send?.({ type: 'ready', name, instance, port, healthPort: health?.port }, () => {});
}

async function soon(report: ReadyReport | Promise<ReadyReport>): Promise<ReadyReport> {
  try {
    return (await within(2_000, report)) ?? { ready: false, checks: { timely: false } };
  } catch (error) {
    return { ready: false, checks: { error: asError(error).message } };
  }
}

/** Sends what is buffered, within 2 s; while the server is away that is impossible, and not waited for. */
async function leaveNats(nc: NatsConnection): Promise<void> {
  if (isConnected(nc)) await within(2_000, nc.drain());
  if (!nc.isClosed()) await nc.close();
}
