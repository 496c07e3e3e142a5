import { baseConfig } from '@toolstream/service-kit';
import { z } from 'zod';

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);

export const projectionConfig = z.object({
  ...baseConfig,
  DATABASE_URL: z.string().regex(/^postgres(ql)?:\/\//, 'must be postgres://user:password@host:port/database'),
  /** What to do when rows and log do not belong together: wait for an operator, or rebuild the tables from the log. */
  TOOLSTREAM_ON_LOST_TAIL: z.enum(['stop', 'rebuild']).default('stop'),
  TOOLSTREAM_PROJECTION_BATCH: whole(1, 20_000).default(2_000),
  TOOLSTREAM_PROJECTION_PACE_MS: whole(0, 1_000).default(15),
  TOOLSTREAM_PROJECTION_LEASE_MS: whole(1_000, 300_000).default(6_000),
  TOOLSTREAM_PROJECTION_CACHE_MB: whole(1, 65_536).default(128),
  TOOLSTREAM_PROJECTION_QUERY_CONNECTIONS: whole(1, 100).default(4),
  TOOLSTREAM_ESTIMATES_EVERY_MS: whole(100, 3_600_000).default(3_000),
});
export type ProjectionConfig = z.infer<typeof projectionConfig>;
