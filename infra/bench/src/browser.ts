import { setTimeout as sleep } from 'node:timers/promises';
import { type Figures, figuresOf, frameMsOf } from './browser/figures.ts';
import { memoryOverTime } from './browser/memory.ts';
import { openBare, openEmpty, openRun } from './browser/pages.ts';
import type { WatchedPage, Work } from './browser/watched-page.ts';
import { openWorld, TOOLS, type World } from './browser/world.ts';
import { type Cleanup, withCleanup } from './cleanup.ts';
import { cpuSecondsOfTree } from './cpu.ts';
import type { BenchOptions } from './options.ts';
import { alternate, type Target } from './pairs.ts';
import { compared, measured, type Report, type Row } from './report.ts';

const RATE = 500;
const PAINT: Target = { sense: 'at_most', value: 50 };
const DROPPED: Target = { sense: 'at_most', value: 5 };
const SETTLE_MS = 500;

/**
 * What somebody sees who looks at the console's view of a run: 50 calls progress, 500 events a second arrive in one page of a
 * real browser. The floor is a page that shows the same rows with nothing between the socket and the text; an empty page, while
 * the same events are published, tells what the machine takes of the frames by itself.
 */
export function browser({ quick, say }: BenchOptions): Promise<Report> {
  return withCleanup(async (cleanup) => {
    const world = await openWorld(cleanup);
    const time = quick ? { seconds: 5, parts: 5 } : { seconds: 30, parts: 11 };
    const rows = [
      ...(await paints(world, { quick, say })),
      ...(await memoryOverTime(cleanup, world, { benchmark: 'browser', rate: RATE, ...time, say })),
    ];
    return {
      rows,
      notes: [
        'painted: the task after the frame that shows an event, or a later one of its call, has run; only calls in view count',
        'the browser has no graphics processor: its frames are drawn by the processors that everything else runs on',
      ],
    };
  });
}

interface Turn extends Figures {
  /** Milliseconds of processor time in a second: of the page's main thread, and of the whole browser. */
  readonly work: Work;
  readonly browser: number;
}

async function paints(world: World, { quick, say }: BenchOptions): Promise<Row[]> {
  const seconds = quick ? 4 : 8;
  const frameMs = await withCleanup(async (stage) => {
    const empty = await openEmpty(stage, world);
    await sleep(2_000);
    return frameMsOf(await empty.seen());
  });
  /** One page at a time, as somebody has it who looks at it: a page behind another one has no frames. */
  const turn = (open: (stage: Cleanup) => Promise<WatchedPage>): Promise<Turn> =>
    withCleanup(async (stage) => {
      const page = await open(stage);
      await world.emit(RATE, 1);
      await sleep(SETTLE_MS);
      await page.seen();
      const before = { work: await page.work(), browser: cpuSecondsOfTree(world.pid) };
      await world.emit(RATE, seconds);
      const after = { work: await page.work(), browser: cpuSecondsOfTree(world.pid) };
      const perSecond = (used: number) => (1_000 * used) / seconds;
      const part = (name: keyof Work) => perSecond(after.work[name] - before.work[name]);
      const work = { all: part('all'), script: part('script'), style: part('style'), layout: part('layout') };
      const figures = figuresOf(await page.seen(), frameMs);
      return { ...figures, work, browser: perSecond(after.browser - before.browser) };
    });
  const turns = await alternate(
    {
      run: () => turn((stage) => openRun(stage, world)),
      bare: () => turn((stage) => openBare(stage, world)),
      still: () => turn((stage) => openRun(stage, world, true)),
      empty: () => turn((stage) => openEmpty(stage, world)),
    },
    { rounds: quick ? 3 : 5, warmUp: 1, restMs: SETTLE_MS },
    (round, all) => {
      for (const [name, one] of Object.entries(all)) say(`round ${round + 1}: ${name}: ${text(one)}`);
    },
  );
  for (const { judged } of [...turns.run, ...turns.still, ...turns.bare]) {
    if (judged < RATE / 5) throw new Error(`not_seen: only ${judged} events were seen in view`);
  }
  return rowsOf(turns, frameMs);
}

function rowsOf(turns: Readonly<Record<'run' | 'bare' | 'still' | 'empty', readonly Turn[]>>, frameMs: number): Row[] {
  const what = `${TOOLS} calls, ${RATE} events/s`;
  const place = (name: string, unit: string) => ({ benchmark: 'browser', name: `${what}: ${name}`, unit });
  const row = (name: string, unit: string, value: (turn: Turn) => number, target?: Target) =>
    measured(place(name, unit), turns.run.map(value), target);
  const beside = (name: string, unit: string, value: (turn: Turn) => number) =>
    compared(place(`${name} / bare page`, unit), turns.run.map(value), turns.bare.map(value));
  const dropped = (turn: Turn) => 100 * turn.dropped;
  return [
    row('arrived → painted, p95', 'ms', ({ p95 }) => p95, PAINT),
    row('dropped frames', '%', dropped, DROPPED),
    beside('arrived → painted, p95', 'ms', ({ p95 }) => p95),
    beside('arrived → painted, p50', 'ms', ({ p50 }) => p50),
    beside('published → painted, p95', 'ms', ({ published }) => published),
    beside('main thread, processor', 'ms/s', ({ work }) => work.all),
    beside('browser, processor', 'ms/s', (turn) => turn.browser),
    row('main thread, for scripts', 'ms/s', ({ work }) => work.script),
    row('main thread, for style and layout', 'ms/s', ({ work }) => work.style + work.layout),
    measured(place('bare page, dropped frames', '%'), turns.bare.map(dropped)),
    measured(place('empty page, dropped frames', '%'), turns.empty.map(dropped)),
    measured(place('without motion, dropped frames', '%'), turns.still.map(dropped)),
    measured(
      place('without motion, arrived → painted, p95', 'ms'),
      turns.still.map(({ p95 }) => p95),
    ),
    measured(
      place('without motion, browser, processor', 'ms/s'),
      turns.still.map((turn) => turn.browser),
    ),
    measured({ benchmark: 'browser', name: 'a frame of an empty page', unit: 'ms' }, [frameMs]),
  ];
}

const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
const text = ({ p50, p95, dropped, rate, work, browser: all }: Turn): string =>
  [
    `painted after ${p50.toFixed(1)} ms, p95 ${p95.toFixed(1)}`,
    `${percent(dropped)} dropped`,
    `${rate.toFixed(0)} events/s`,
    `${work.all.toFixed(0)} of ${all.toFixed(0)} ms/s`,
  ].join(', ');
