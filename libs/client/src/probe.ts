import type { Timing } from './timing.ts';

/** Until a better transport is tried the next time: ever more rarely while it does not work, and never all clients at once. */
export function probeDelay({ probeMinMs, probeMaxMs }: Timing, failed: number, random: number): number {
  const ceiling = Math.min(probeMaxMs, probeMinMs * 2 ** Math.min(failed, 10));
  return Math.round(ceiling * (0.75 + 0.25 * random));
}
