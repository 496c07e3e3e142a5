export { CHROMIUM_ARGUMENTS, findChromium } from './embedded/chromium-binary.ts';
export { type FileLock, isLock, type LockHolder, tryLock } from './embedded/file-lock.ts';
export { type NatsOptions, type NatsServer, startEphemeralNats, startNats } from './embedded/nats.ts';
export { findNatsServer, natsServerBinary } from './embedded/nats-server-binary.ts';
export {
  assertPortFree,
  assertPortsFree,
  freePort,
  isFree,
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
export { endProcess, type ProcessFacts, processFacts } from './embedded/processes.ts';
export { type FoundProgram, ProgramNotFound } from './embedded/program-search.ts';
export { projectRoot } from './embedded/project-paths.ts';
export { findRedisServer } from './embedded/redis-server-binary.ts';
export { findRuby } from './embedded/ruby-binary.ts';
export type { ServerExit } from './embedded/server-process.ts';
export { problemsOfHistory } from './history.ts';
