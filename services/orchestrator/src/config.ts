import { baseConfig } from '@toolstream/service-kit';
import { storesConfig } from '@toolstream/stores';
import { z } from 'zod';

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `14d`, `90m`, `30s`, `250ms`; a bare number is milliseconds. */
const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)?$/, 'must be a duration such as 250ms, 30s, 90m, 12h or 14d')
  .transform((text) => {
    const [, amount, unit] = /^(\d+)(\w*)$/.exec(text) ?? [];
    return Number(amount) * (UNITS[unit || 'ms'] ?? 1);
  })
  .pipe(z.number().int().min(1));

export const orchestratorConfig = z.object({
  ...baseConfig,
  ...storesConfig,
  /** Age at which a run fails as `run_expired`, pauses included. */
  TOOLSTREAM_MAX_RUN_AGE: duration.prefault('14d'),
  /** Running time that a run may take, pauses outside. */
  TOOLSTREAM_RUN_TIMEOUT: duration.prefault('24h'),
  /**
   * How long an approval is waited for, pauses outside, where its tool says nothing; then the call is denied. Waiting is
   * running time of the run: what is longer than the run's timeout never comes to pass.
   */
  TOOLSTREAM_APPROVAL_TIMEOUT: duration.prefault('12h'),
  /** How often live runs are looked at again, whatever the events say. */
  TOOLSTREAM_SWEEP_INTERVAL: duration.prefault('30s'),
  /** Runs per second that a sweep reads from the log. */
  TOOLSTREAM_SWEEP_RATE: z.coerce.number().int().min(1).max(10_000).default(100),
  /** Memory for folded runs, in MiB; what does not fit is read from the log when it is needed. */
  TOOLSTREAM_LIVE_RUNS_MIB: z.coerce.number().int().min(1).max(65_536).default(128),
  /** Runs whose first jobs are sent out at the same time; further submissions wait. */
  TOOLSTREAM_DISPATCHES: z.coerce.number().int().min(1).max(10_000).default(128),
  /** Without a sign of life from the active replica for this long, another one reacts. */
  TOOLSTREAM_FAILOVER: duration.prefault('3s'),
});
export type OrchestratorConfig = z.infer<typeof orchestratorConfig>;
