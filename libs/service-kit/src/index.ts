export {
  type CommandEndpoint,
  type CommandHandler,
  type CommandService,
  type CommandServiceOptions,
  serveCommands,
} from './commands.ts';
export { type BaseConfig, baseConfig, ConfigError, type ConfigProblem, EXIT_CONFIG, loadConfig } from './config.ts';
export { asError, UnavailableError } from './errors.ts';
export { type HealthOptions, type HealthServer, type ReadyReport, startHealthServer } from './health.ts';
export { runService, type ServiceContext, type ServiceDefinition } from './lifecycle.ts';
export { createLogger, type Logger, type LoggerOptions, redact } from './logger.ts';
export { connectNats, isConnected, type NatsOptions, observeConnection, parseNatsUrl } from './nats.ts';
export { newUlid } from './new-ulid.ts';
export { type RequestOptions, request } from './request.ts';
export type { RunningService } from './service-life.ts';
export {
  type Attributes,
  type Counter,
  type Histogram,
  METRICS_CONTENT_TYPE,
  type Meter,
  type ObservableGauge,
  startTelemetry,
  type Telemetry,
  type TelemetryOptions,
  type Tracer,
  type UpDownCounter,
} from './telemetry.ts';
export {
  contextOf,
  ensureTraceparent,
  formatTraceparent,
  inSpan,
  parseTraceparent,
  SpanKind,
  type SpanOptions,
  traceparentOf,
} from './trace-context.ts';
export { within } from './within.ts';
