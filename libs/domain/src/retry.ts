import type { RetryPolicy } from '@toolstream/proto-events';

/**
 * Milliseconds before the next attempt after `failures` retryable failures (from 1): exponential, capped, with half of
 * it jittered so that calls that failed together do not come back together. `random` is in [0, 1).
 */
export function backoff(policy: RetryPolicy, failures: number, random: number): number {
  const full = Math.min(policy.max_ms, policy.initial_ms * policy.factor ** (failures - 1));
  return Math.round(full * (0.5 + random / 2));
}
