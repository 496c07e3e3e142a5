import {
  mintToken,
  type ServiceSpec,
  type Stack,
  type StackFacts,
  startStack,
  toolstreamServices,
} from '@toolstream/cli';
import { type Cleanup, interrupted } from './cleanup.ts';
import type { Watched } from './cpu.ts';
import { EXEC_ARGV } from './runtime.ts';
import { temporaryFolder } from './servers.ts';

export interface StackWish {
  /** Default: servers of its own, set up as `make up` does. */
  readonly natsUrl?: string;
  readonly databaseUrl?: string;
  /** Which services run, and how; default: the product's own list. */
  readonly services?: (facts: StackFacts) => ServiceSpec[];
  readonly executors?: number;
  /** How long a service may take to stop. */
  readonly graceMs?: number;
  readonly env?: NodeJS.ProcessEnv;
}

export interface BenchStack {
  readonly edgeUrl: string;
  readonly databaseUrl: string;
  readonly natsUrl: string;
  /** May do everything in the tenant `bench`. */
  readonly token: string;
  /** As {@link token}, of a user with this name. */
  tokenOf(user: string): Promise<string>;
  pidOf(name: string): number;
  /** Every process of it that runs here. */
  processes(): Watched[];
  /** Asks the edge, with {@link token}; fails on any other status than the expected one. */
  post(path: string, body: unknown, expected: number): Promise<unknown>;
  stop(): Promise<void>;
}

/** One caller opens all the connections, as fast as it can: what the edge would refuse it is not what is measured. */
const UNLIMITED = { TOOLSTREAM_MAX_CONNECTIONS_PER_USER: '0', TOOLSTREAM_CONNECTS_PER_SECOND: '0' };

/** The services in processes of their own, under the product's supervisor; a service that ends is not started again. */
export async function benchStack(cleanup: Cleanup, wish: StackWish = {}): Promise<BenchStack> {
  const dataDir = await temporaryFolder(cleanup);
  const jwtSecret = 'a secret of the benchmark, on this machine only';
  const { env, services = toolstreamServices, ...options } = wish;
  const stack = await startStack({
    dataDir,
    port: 0,
    restart: false,
    signal: interrupted,
    jwtSecret,
    log: () => {},
    env: { ...process.env, LOG_LEVEL: 'warn', ...UNLIMITED, ...env },
    services: (facts) =>
      services(facts).map((spec) => ({ ...spec, execArgv: [...EXEC_ARGV, ...withoutLoader(spec.execArgv)] })),
    ...options,
  });
  let dead: string | undefined;
  stack.on('exit', ({ name, code, signal }) => {
    dead ??= `${name} ended with ${signal ?? code}; see ${dataDir}/log`;
  });
  cleanup.add(stack, (started) => started.stop());
  const scope = 'runs:read runs:write runs:control';
  const tokenOf = (sub: string) => mintToken(jwtSecret, { sub, tenant: 'bench', scope, apps: '*' });
  const edgeUrl = stack.edgeUrls[0]!;
  const token = await tokenOf('bench');
  return {
    edgeUrl,
    natsUrl: stack.natsUrl,
    databaseUrl: stack.databaseUrl,
    token,
    tokenOf,
    pidOf: (name) => pidOf(stack, name, dead),
    processes: () => stack.names.map((name) => ({ name, pid: pidOf(stack, name, dead) })),
    post: async (path, body, expected) => {
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
      const response = await fetch(`${edgeUrl}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
      const answer = await response.text();
      if (response.status !== expected) throw new Error(`refused: ${path} ${response.status} ${answer.slice(0, 300)}`);
      return JSON.parse(answer);
    },
    stop: () => stack.stop(),
  };
}

/** What a service is started with besides the loader for its sources. */
const withoutLoader = (execArgv: readonly string[]): string[] => {
  const loader = execArgv.findIndex((argument, at) => argument === '--import' && execArgv[at + 1]?.includes('/tsx/'));
  const rest = loader < 0 ? [...execArgv] : execArgv.toSpliced(loader, 2);
  return rest.filter((argument) => !EXEC_ARGV.includes(argument));
};

function pidOf(stack: Stack, name: string, dead: string | undefined): number {
  const pid = stack.pidOf(name);
  if (dead !== undefined || pid === undefined) throw new Error(`stack_broken: ${dead ?? `${name} does not run`}`);
  return pid;
}

/** Nothing but an edge: what reacts to events, or reads them for something else, would only be in the way. */
export const edgeOnly = (facts: StackFacts): ServiceSpec[] =>
  toolstreamServices(facts).filter(({ name }) => name.startsWith('edge-'));

/** The same, able to collect garbage when told to: its memory is measured. */
export const edgeWithGc = (facts: StackFacts): ServiceSpec[] =>
  edgeOnly(facts).map((spec) => ({
    ...spec,
    execArgv: [...spec.execArgv, '--import', import.meta.resolve('./gc-on-signal.ts')],
  }));
