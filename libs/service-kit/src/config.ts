import { z } from 'zod';

/** Exit code for a configuration that cannot work (`EX_CONFIG`): a restart would not help. */
export const EXIT_CONFIG = 78;

const port = z.coerce.number().int().min(0).max(65_535);

/** What every service reads. Spread it into the service's own `z.object({...baseConfig, …})`. */
export const baseConfig = {
  /** One address or several, comma-separated; `user:password@` or `token@` may be part of it. */
  NATS_URL: z.string().min(1).default('nats://127.0.0.1:4222'),
  /** File with NATS credentials (`.creds`), or the seed of an nkey; at most one of them. */
  NATS_CREDS_FILE: z.string().optional(),
  NATS_NKEY_SEED: z.string().optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
  TOOLSTREAM_INSTANCE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 characters of A-Z a-z 0-9 _ -')
    .optional(),
  /** Absent: no health server. 0: any free port, told to the parent process. */
  TOOLSTREAM_HEALTH_PORT: port.optional(),
  TOOLSTREAM_HEALTH_HOST: z.string().default('0.0.0.0'),
  TOOLSTREAM_PARTITIONS: z.coerce.number().int().min(1).max(9_999).default(1),
  TOOLSTREAM_STREAMS: z.enum(['create', 'verify', 'off']).default('create'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.url().optional(),
} as const;
const baseSchema = z.object(baseConfig);
export type BaseConfig = z.infer<typeof baseSchema>;

export interface ConfigProblem {
  readonly variable: string;
  readonly problem: string;
}

/** Everything that is wrong with the environment, at once. Values are never part of the text: they may be secrets. */
export class ConfigError extends Error {
  readonly code = 'invalid_config';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[]) {
    const list = problems.map(({ variable, problem }) => `  ${variable}: ${problem}`).join('\n');
    super(`The configuration has ${problems.length} problem(s); correct these environment variables:\n${list}`);
    this.name = 'ConfigError';
    this.problems = problems;
  }
}

/** An empty variable counts as absent: compose files and shells pass those on. */
export function loadConfig<S extends z.ZodObject>(
  schema: S,
  env: Readonly<Record<string, string | undefined>> = process.env,
): z.infer<S> {
  const given = Object.fromEntries(
    Object.keys(schema.shape).flatMap((name) => {
      const value = env[name];
      return value === undefined || value.trim() === '' ? [] : [[name, value]];
    }),
  );
  const result = schema.safeParse(given);
  if (result.success) return result.data;
  throw new ConfigError(
    result.error.issues.map((issue) => {
      const variable = issue.path.join('.') || '(configuration)';
      const missing = issue.code === 'invalid_type' && given[variable] === undefined;
      return { variable, problem: missing ? 'is required' : issue.message };
    }),
  );
}
