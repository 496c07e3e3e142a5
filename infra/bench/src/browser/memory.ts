import { setTimeout as sleep } from 'node:timers/promises';
import type { Cleanup } from '../cleanup.ts';
import { mebibytes } from '../memory.ts';
import type { BenchOptions } from '../options.ts';
import type { Target } from '../pairs.ts';
import { measured, type Row } from '../report.ts';
import { openRun } from './pages.ts';
import type { Kept } from './watched-page.ts';
import type { World } from './world.ts';

const GROWTH: Target = { sense: 'at_most', value: 1.1 };
const SETTLE_MS = 500;

export interface OpenTime extends Pick<BenchOptions, 'say'> {
  readonly benchmark: string;
  /** Events a second. */
  readonly rate: number;
  /** Of each part. */
  readonly seconds: number;
  readonly parts: number;
}

/** The heap of one page that stays open while its run goes on, after each part of the time, against the first part's. */
export async function memoryOverTime(cleanup: Cleanup, world: World, time: OpenTime): Promise<Row[]> {
  const { benchmark, rate, seconds, parts, say } = time;
  const page = await openRun(cleanup, world);
  const looks: Kept[] = [];
  for (let part = 1; part <= parts; part++) {
    await world.emit(rate, seconds);
    await sleep(SETTLE_MS);
    await page.seen();
    const look = await page.kept();
    looks.push(look);
    say(`after ${part * seconds} s: ${mebibytes(look.heap).toFixed(1)} MiB, ${look.nodes} nodes`);
  }
  const [first, ...later] = looks as [Kept, ...Kept[]];
  const what = `${parts * seconds * rate} events in ${parts * seconds} s`;
  const row = (name: string, unit: string, values: readonly number[], target?: Target) =>
    measured({ benchmark, name: `${what}: ${name}`, unit }, values, target);
  return [
    row(
      `heap against the first ${seconds} s`,
      '×',
      later.map(({ heap }) => heap / first.heap),
      GROWTH,
    ),
    row(
      'heap',
      'MiB',
      looks.map(({ heap }) => mebibytes(heap)),
    ),
    row(
      'DOM nodes against the first',
      '×',
      later.map(({ nodes }) => nodes / first.nodes),
    ),
  ];
}
