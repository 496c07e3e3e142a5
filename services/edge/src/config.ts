import { isIP } from 'node:net';
import { baseConfig } from '@toolstream/service-kit';
import { storesConfig } from '@toolstream/stores';
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
const natural = (fallback: number) => z.coerce.number().int().min(0).default(fallback);
const PROXY_NAMES = ['loopback', 'linklocal', 'uniquelocal'];
const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
};
const proxies = list.refine((parts) => parts.every((part) => PROXY_NAMES.includes(part) || isNetwork(part)), {
  message: `must be addresses or networks (10.0.0.0/8), or ${PROXY_NAMES.join(', ')}, comma separated`,
});
const positive = (fallback: number) => z.coerce.number().int().positive().default(fallback);

const settings = z.object({
  ...baseConfig,
  ...storesConfig,
  PORT: z.coerce.number().int().min(0).max(65_535).default(4400),
  /** Default: the loopback address in development, every address elsewhere. */
  TOOLSTREAM_HOST: z.string().min(1).optional(),
  TOOLSTREAM_JWT_SECRET: z.string().min(32, 'must have at least 32 characters').optional(),
  TOOLSTREAM_JWKS_URL: z.url().optional(),
  /** Exact origins, comma separated: `https://app.example.com,https://admin.example.com`. */
  TOOLSTREAM_ALLOWED_ORIGINS: list.default([]),
  /** Development: pages from any port of localhost are allowed origins. */
  TOOLSTREAM_DEV: flag,
  /** The folder that the console's build wrote. Without it the console's addresses say that there is none. */
  TOOLSTREAM_CONSOLE_DIR: z.string().min(1).optional(),
  TOOLSTREAM_HEARTBEAT_MS: positive(15_000),
  /** How often `/cable` pings at least. Stock clients take a connection that is silent for 6 s for dead. */
  TOOLSTREAM_CABLE_PING_MS: positive(3_000),
  TOOLSTREAM_HELLO_TIMEOUT_MS: positive(10_000),
  /** A connection is closed this long after its token's end, unless it was refreshed. */
  TOOLSTREAM_TOKEN_GRACE_MS: positive(25_000),
  /** Seconds from a token's `iat` to its `exp`; a longer one is refused. Revocations are kept that long. */
  TOOLSTREAM_MAX_TOKEN_AGE: positive(30 * 24 * 3600),
  /** WebSockets and streams of this process. */
  TOOLSTREAM_MAX_CONNECTIONS: positive(20_000),
  /** Of one client address (IPv6: one /64); 0: any number. This machine's own addresses are not counted. */
  TOOLSTREAM_MAX_CONNECTIONS_PER_IP: natural(1_000),
  /** Of one user, that is of one `sub` of a tenant; 0: any number. */
  TOOLSTREAM_MAX_CONNECTIONS_PER_USER: natural(1_000),
  /** New connections a second, with bursts of twice as many; 0: any number. */
  TOOLSTREAM_CONNECTS_PER_SECOND: natural(1_000),
  /** The proxies in front. Only what they say in X-Forwarded-For is believed. */
  TOOLSTREAM_TRUST_PROXY: proxies.default([]),
  TOOLSTREAM_MAX_SUBSCRIPTIONS: positive(128),
  /** Commands and subscriptions a second that one connection may send, with bursts of twice as many. */
  TOOLSTREAM_FRAMES_PER_SECOND: positive(50),
  /** What a client may be behind by before a snapshot goes on; a quarter of it may wait for one client. */
  TOOLSTREAM_CLIENT_BUFFER_BYTES: positive(512 * 1024),
  /** A client that makes no room and acknowledges nothing for this long is closed; the other times are parts of it. */
  TOOLSTREAM_SLOW_CLIENT_MS: positive(30_000),
  /** How long a run's feed outlives its last watcher. */
  TOOLSTREAM_FEED_LINGER_MS: positive(5_000),
  /** How long a stopping edge only says that it is not ready, before it takes nobody new. */
  TOOLSTREAM_DRAIN_DELAY_MS: natural(0),
  /** The goodbyes of a stopping edge are spread over this time. */
  TOOLSTREAM_DRAIN_MS: natural(3_000),
  /** Milliseconds between the rounds of the canary, which proves delivery all the time; 0: off. */
  TOOLSTREAM_CANARY_MS: natural(0),
  /** Where its clients connect: `ws://…/ws`. Default: this process. */
  TOOLSTREAM_CANARY_URL: z.url().optional(),
});

export const edgeConfig = settings.refine(
  (config) => config.TOOLSTREAM_JWT_SECRET !== undefined || config.TOOLSTREAM_JWKS_URL !== undefined,
  { message: 'TOOLSTREAM_JWT_SECRET or TOOLSTREAM_JWKS_URL must be set: without one of them nobody can sign in' },
);
export type EdgeConfig = z.infer<typeof edgeConfig>;

export const hostOf = (config: EdgeConfig): string =>
  config.TOOLSTREAM_HOST ?? (config.TOOLSTREAM_DEV ? '127.0.0.1' : '0.0.0.0');
