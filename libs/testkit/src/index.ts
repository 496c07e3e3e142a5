export { type NatsOptions, type NatsServer, startEphemeralNats, startNats } from './embedded/nats.ts';
export {
  findNatsServer,
  type NatsServerBinary,
  NatsServerNotFound,
  natsServerBinary,
} from './embedded/nats-server-binary.ts';
export {
  assertPortFree,
  assertPortsFree,
  freePort,
  type PortConflict,
  PortInUse,
  type PortWish,
} from './embedded/ports.ts';
export {
  type PostgresOptions,
  type PostgresServer,
  startEphemeralPostgres,
  startPostgres,
} from './embedded/postgres.ts';
export type { ServerExit } from './embedded/server-process.ts';
