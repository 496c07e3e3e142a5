import { memoryOverTime } from './browser/memory.ts';
import { openWorld } from './browser/world.ts';
import { withCleanup } from './cleanup.ts';
import type { BenchOptions } from './options.ts';
import type { Report } from './report.ts';

const RATE = 100;

/** A page that somebody leaves open: for half an hour its run goes on, and what the page keeps does not grow. */
export function soak({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const world = await openWorld(cleanup);
    const time = quick ? { seconds: 5, parts: 12 } : { seconds: 60, parts: 30 };
    return { rows: await memoryOverTime(cleanup, world, { benchmark: 'soak', rate: RATE, ...time, say }), notes: [] };
  });
}
