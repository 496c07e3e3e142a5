import { memoryOverTime } from './browser/memory.ts';
import { openWorld } from './browser/world.ts';
import { withCleanup } from './cleanup.ts';
import type { BenchOptions } from './options.ts';
import type { Report } from './report.ts';

const RATE = 100;
/** What is kept of a call's output, 16 KiB, is full before the first minute is over. */
const LINE_CHARS = 400;

/** A page that somebody leaves open: for half an hour its run's calls report and print, and what the page keeps does not grow. */
export function soak({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const world = await openWorld(cleanup, { lineChars: LINE_CHARS });
    const time = quick ? { seconds: 30, parts: 3 } : { seconds: 60, parts: 30 };
    return { rows: await memoryOverTime(cleanup, world, { benchmark: 'soak', rate: RATE, ...time, say }), notes: [] };
  });
}
