import type { ServiceSpec, StackFacts } from './services.ts';

export interface StackOptions {
  /** Default: `.toolstream` in the repository. */
  dataDir?: string | undefined;
  /** What the services get to see of the environment. Default: all of ours. */
  env?: NodeJS.ProcessEnv | undefined;
  /** Replaces the embedded NATS. */
  natsUrl?: string | undefined;
  /** Replaces the embedded Postgres. */
  databaseUrl?: string | undefined;
  /** The first edge's port, the others follow; 0: any free ones. Default: 4400. */
  port?: number | undefined;
  /** Ports of the embedded servers. Default: those of the last start, else any free ones. */
  natsPort?: number | undefined;
  postgresPort?: number | undefined;
  edges?: number | undefined;
  executors?: number | undefined;
  orchestrators?: number | undefined;
  /** False: what ends stays ended until `start(name)`. */
  restart?: boolean | undefined;
  /** Default on embedded parts: made once and kept in the data folder. */
  jwtSecret?: string | undefined;
  services?: ((facts: StackFacts) => ServiceSpec[]) | undefined;
  readyTimeoutMs?: number | undefined;
  /** How long a service may take to stop. Default: a little more than the deadline that services set themselves. */
  graceMs?: number | undefined;
  /** Told what a person at the terminal should know. Default: stderr. */
  log?: ((line: string) => void) | undefined;
  /** Gives up a start that is under way; what was started is stopped. */
  signal?: AbortSignal | undefined;
}
