import { join } from 'node:path';
import { projectRoot } from '@toolstream/testkit';

/** A service to run as one process. */
export interface ServiceSpec {
  /** `<service>-<n>`, n from 1: the name of its pid file and log, and its TOOLSTREAM_INSTANCE. */
  name: string;
  script: string;
  execArgv: readonly string[];
  /** Over the environment that all of them get. An undefined value takes a variable away. */
  env: Record<string, string | undefined>;
  /** The port that it will listen on, checked before anything starts. */
  port?: number;
}

/** What is known when the list of services is made. */
export interface StackFacts {
  natsUrl: string;
  databaseUrl: string;
  edgePorts: readonly number[];
  executors: number;
  orchestrators: number;
  jwtSecret: string | undefined;
  /** Where the edges find the console's build. */
  consoleDir: string;
  /** Nothing is configured from outside: pages from localhost may connect, and the edge listens on the loopback address. */
  development: boolean;
}

/**
 * The services of Toolstream. Each gets what it needs and no more: the database's address goes to the projection alone, the
 * secret that signs tokens to the edges alone, the keys of S3 to those that open the stores.
 */
export function toolstreamServices(facts: StackFacts): ServiceSpec[] {
  return [
    ...many('orchestrator', facts.orchestrators, () => ({})),
    ...many('projection', 1, () => ({ DATABASE_URL: facts.databaseUrl, ...NO_STORES })),
    ...many('executor', facts.executors, () => ({})),
    ...facts.edgePorts.map((port, index) => ({
      ...service('edge', index + 1, {
        PORT: String(port),
        TOOLSTREAM_JWT_SECRET: facts.jwtSecret,
        TOOLSTREAM_CONSOLE_DIR: facts.consoleDir,
        ...(facts.development ? { TOOLSTREAM_DEV: '1' } : {}),
      }),
      port,
    })),
  ];
}

const NO_STORES = {
  AWS_ACCESS_KEY_ID: undefined,
  AWS_SECRET_ACCESS_KEY: undefined,
  AWS_SESSION_TOKEN: undefined,
};

/** What `make console` writes. */
export const consoleFolder = (): string => join(projectRoot() ?? process.cwd(), 'services', 'console', 'dist');

function many(name: string, count: number, env: () => Record<string, string | undefined>): ServiceSpec[] {
  return Array.from({ length: count }, (_, index) => service(name, index + 1, env()));
}

function service(name: string, number: number, env: Record<string, string | undefined>): ServiceSpec {
  const built = process.env.TOOLSTREAM_BUILT === '1';
  const folder = join(projectRoot() ?? process.cwd(), 'services', name);
  return {
    name: `${name}-${number}`,
    script: join(folder, ...(built ? ['dist', 'main.js'] : ['src', 'main.ts'])),
    // The loader by its address, so that it is found whatever the current folder is.
    execArgv: built ? [] : ['--conditions=toolstream', '--import', import.meta.resolve('tsx')],
    env,
  };
}

/** Everything of ours is passed on; what only one kind of service may have is taken away first. */
export function serviceEnvironment(
  base: NodeJS.ProcessEnv,
  facts: StackFacts,
  dataDir: string,
  spec: ServiceSpec,
): NodeJS.ProcessEnv {
  const { DATABASE_URL: _database, PORT: _port, TOOLSTREAM_JWT_SECRET: _secret, ...shared } = base;
  const env: NodeJS.ProcessEnv = {
    ...shared,
    NATS_URL: facts.natsUrl,
    TOOLSTREAM_DATA_DIR: dataDir,
    TOOLSTREAM_INSTANCE: spec.name,
    TOOLSTREAM_HEALTH_PORT: '0',
    ...spec.env,
  };
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined));
}
