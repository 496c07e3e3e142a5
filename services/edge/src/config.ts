import { baseConfig } from '@toolstream/service-kit';
import { z } from 'zod';

const flag = z
  .enum(['0', '1', 'true', 'false', ''])
  .transform((text) => text === '1' || text === 'true')
  .default(false);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const settings = z.object({
  ...baseConfig,
  PORT: z.coerce.number().int().min(0).max(65_535).default(4400),
  /** Default: the loopback address in development, every address elsewhere. */
  TOOLSTREAM_HOST: z.string().min(1).optional(),
  TOOLSTREAM_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  TOOLSTREAM_JWKS_URL: z.url().optional(),
  /** Exact origins, comma separated: `https://app.example.com,https://admin.example.com`. */
  TOOLSTREAM_ALLOWED_ORIGINS: list.default([]),
  /** Development: pages from any port of localhost are allowed origins. */
  TOOLSTREAM_DEV: flag,
  TOOLSTREAM_HEARTBEAT_MS: positive(15_000),
  TOOLSTREAM_HELLO_TIMEOUT_MS: positive(10_000),
  /** A connection is closed this long after its token's end, unless it was refreshed. */
  TOOLSTREAM_TOKEN_GRACE_MS: positive(25_000),
  TOOLSTREAM_MAX_CONNECTIONS: positive(20_000),
  TOOLSTREAM_MAX_SUBSCRIPTIONS: positive(128),
  /** Commands and subscriptions a second that one connection may send, with bursts of twice as many. */
  TOOLSTREAM_FRAMES_PER_SECOND: positive(50),
  /** Bytes that may wait for one client before its queue is given up. */
  TOOLSTREAM_CLIENT_BUFFER_BYTES: positive(256 * 1024),
  /** A client that does not drain its buffer for this long is closed. */
  TOOLSTREAM_SLOW_CLIENT_MS: positive(30_000),
  /** How long a run's feed outlives its last watcher. */
  TOOLSTREAM_FEED_LINGER_MS: positive(5_000),
  /** Reconnects after a drain are spread over this time. */
  TOOLSTREAM_DRAIN_SPREAD_MS: positive(10_000),
});

export const edgeConfig = settings.refine(
  (config) => config.TOOLSTREAM_JWT_SECRET !== undefined || config.TOOLSTREAM_JWKS_URL !== undefined,
  { message: 'TOOLSTREAM_JWT_SECRET or TOOLSTREAM_JWKS_URL must be set: without one of them nobody can sign in' },
);
export type EdgeConfig = z.infer<typeof edgeConfig>;

export const hostOf = (config: EdgeConfig): string =>
  config.TOOLSTREAM_HOST ?? (config.TOOLSTREAM_DEV ? '127.0.0.1' : '0.0.0.0');
