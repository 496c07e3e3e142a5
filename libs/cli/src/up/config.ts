import { ConfigError, type ConfigProblem, loadConfig } from '@toolstream/service-kit';
import { storesConfig, storesConfigProblems } from '@toolstream/stores';
import { z } from 'zod';
import type { StackOptions } from '../supervisor/index.ts';

const count = (most: number, fallback: number) => z.coerce.number().int().min(1).max(most).default(fallback);
const address = (schemes: string[]) => (text: string) =>
  text.split(',').every((part) => {
    const scheme = /^([a-z]+):\/\//.exec(part.trim())?.[1];
    return scheme === undefined ? !part.includes('://') : schemes.includes(scheme);
  });

/** The variables of `make up`. Those that only a service reads are checked here too, so that all problems come at once. */
const upConfig = z.object({
  ...storesConfig,
  PORT: z.coerce.number().int().min(1).max(65_535).default(4400),
  EXECUTORS: count(64, 1),
  ORCHESTRATORS: count(16, 1),
  EDGES: count(64, 1),
  SLOTS: z.coerce.number().int().min(1).max(1_024).optional(),
  RESTART: z.enum(['0', '1'], 'must be 0 or 1').default('1'),
  NATS_URL: z
    .string()
    .refine(address(['nats', 'tls', 'ws', 'wss']), 'must be nats://host:port')
    .optional(),
  DATABASE_URL: z
    .url({ protocol: /^postgres(ql)?$/, error: 'must be postgres://user:password@host:port/database' })
    .optional(),
  TOOLSTREAM_DATA_DIR: z.string().optional(),
  TOOLSTREAM_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  TOOLSTREAM_JWKS_URL: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).optional(),
  TOOLSTREAM_ALLOWED_ORIGINS: z
    .string()
    .refine(areOrigins, 'must be origins (https://host), comma separated')
    .optional(),
  TOOLSTREAM_TOOLS: z.string().optional(),
  TOOLSTREAM_PARTITIONS: z.coerce.number().int().min(1).max(9_999).optional(),
  TOOLSTREAM_PROGRESS_HZ: z.coerce.number().positive().max(1_000).optional(),
  TOOLSTREAM_BUILT: z.enum(['0', '1'], 'must be 0 or 1').optional(),
});

function areOrigins(text: string): boolean {
  return text.split(',').every((part) => {
    const origin = part.trim().replace(/\/$/, '');
    return origin === '' || (URL.canParse(origin) && new URL(origin).origin === origin);
  });
}

/** What the environment asks for, or a ConfigError with everything that is wrong with it. */
export function stackOptionsFrom(env: NodeJS.ProcessEnv): StackOptions {
  const problems: ConfigProblem[] = [];
  const config = collect(problems, () => loadConfig(upConfig, env));
  if (config && config.PORT + config.EDGES - 1 > 65_535) {
    problems.push({
      variable: 'EDGES',
      problem: `${config.EDGES} edges from port ${config.PORT} upwards end beyond 65535`,
    });
  }
  if (config) problems.push(...storesConfigProblems(config));
  if (present(env.NATS_URL) && !present(env.TOOLSTREAM_JWT_SECRET) && !present(env.TOOLSTREAM_JWKS_URL)) {
    const problem =
      'is required with NATS_URL (or TOOLSTREAM_JWKS_URL): only embedded parts make a secret of their own';
    problems.push({ variable: 'TOOLSTREAM_JWT_SECRET', problem });
  }
  if (!config || problems.length > 0) throw new ConfigError(problems);
  return {
    env,
    dataDir: config.TOOLSTREAM_DATA_DIR,
    natsUrl: config.NATS_URL,
    databaseUrl: config.DATABASE_URL,
    port: config.PORT,
    edges: config.EDGES,
    executors: config.EXECUTORS,
    orchestrators: config.ORCHESTRATORS,
    restart: config.RESTART !== '0',
    jwtSecret: config.TOOLSTREAM_JWT_SECRET,
  };
}

function collect<T>(problems: ConfigProblem[], load: () => T): T | undefined {
  try {
    return load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

function present(value: string | undefined): boolean {
  return value !== undefined && value.trim() !== '';
}
