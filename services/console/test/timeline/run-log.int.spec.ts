import { fold } from '@toolstream/domain';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { useFallbackWorld } from '../../../../libs/client/test/fallback-world.ts';
import { HandRun } from '../../../edge/test/hand-run.ts';
import { type LogView, RunLog } from '../../src/views/timeline/data/run-log.ts';
import { isMissing, LIMITS } from '../../src/views/timeline/model/event-history.ts';

// biome-ignore lint/correctness/useHookAtTopLevel: a hook of the tests, not of React
const world = useFallbackWorld();

/** Somebody looks at it until the test ends, or looks away. */
function looking(log: RunLog): () => void {
  const away = log.subscribe(() => {});
  onTestFinished(away);
  return away;
}

const view = (log: RunLog, wanted: (view: LogView) => boolean, timeout = 15_000): Promise<LogView> =>
  vi.waitFor(
    () => {
      const now = log.getSnapshot();
      if (!wanted(now)) throw new Error(`${now.status}, ${now.history.length} events, ${String(now.error)}`);
      return now;
    },
    { timeout, interval: 10 },
  );

async function expectLog(log: RunLog, run: HandRun): Promise<void> {
  const recorded = await run.recorded();
  const { history } = await view(
    log,
    ({ status, history: { length } }) => status === 'live' && length >= recorded.length,
  );
  expect(recorded.map((_, index) => log.cursorAt(index))).toEqual(recorded.map(({ seq }) => run.cursor(seq)));
  expect(recorded.map((_, index) => history.eventAt(index))).toEqual(recorded.map(({ event }) => event));
  expect(history.head).toEqual(fold(recorded));
  const middle = Math.floor(recorded.length / 2);
  expect(history.stateAt(middle)).toEqual(fold(recorded.slice(0, middle + 1)));
}

describe('a run’s events', () => {
  it.each(['websocket', 'polling'] as const)(
    'are all there, those of before and those that come (%s)',
    async (transport) => {
      const run = await HandRun.accept(world.store.log, { tools: 2 });
      await run.start();
      await run.startTool(0);
      for (let n = 0; n < 50; n++) await run.progress(0, n);
      const log = new RunLog(world.connect({ transports: [transport] }), run.run);
      looking(log);
      for (let n = 50; n < 100; n++) await run.progress(0, n);
      await view(log, ({ history }) => history.length > 60);
      await run.succeedTool(0);
      await run.startTool(1);
      await run.succeedTool(1);
      await run.succeed();
      await expectLog(log, run);
    },
  );

  it('are all there for who looked away meanwhile', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    const log = new RunLog(world.connect(), run.run);
    const away = looking(log);
    await run.start();
    await view(log, ({ history }) => history.length === 2);
    away();
    await run.startTool(0);
    for (let n = 0; n < 30; n++) await run.progress(0, n);
    looking(log);
    await run.succeedTool(0);
    await run.succeed();
    await expectLog(log, run);
  });

  it('are read on where the history broke off', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    await run.finish(200);
    let cuts = 0;
    world.proxy.cutAt = (kind) => (kind === 'poll' && cuts++ < 2 ? 30_000 : undefined);
    const log = new RunLog(world.connect(), run.run);
    looking(log);
    await expectLog(log, run);
    expect(cuts).toBeGreaterThan(2);
  });

  it('of a run that does not exist are an error that says so, until it does', async () => {
    const log = new RunLog(world.connect(), '0-01JQZX5M9G7V3T8R2KQWERTYAB');
    looking(log);
    const { error } = await view(log, ({ status }) => status === 'failed');
    expect(error).toMatchObject({ code: 'not_found' });
  });

  it('that were dropped from memory are fetched again when they are needed', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    await run.finish(500);
    const log = new RunLog(world.connect(), run.run, { ...LIMITS, bytes: 100_000 });
    looking(log);
    const { history } = await view(log, ({ status }) => status === 'live');
    const recorded = await run.recorded();
    expect(history.length).toBe(recorded.length);
    expect(history.eventAt(300)).toBeUndefined();
    const state = history.stateAt(300);
    if (!isMissing(state)) throw new Error('nothing was dropped');
    log.need(state.missing);
    await view(log, () => !isMissing(history.stateAt(300)));
    expect(history.stateAt(300)).toEqual(fold(recorded.slice(0, 301)));
    expect(history.eventAt(300)).toEqual(recorded[300]!.event);
  });

  it('that could not be fetched again are fetched when somebody tries again', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    await run.finish(500);
    const log = new RunLog(world.connect(), run.run, { ...LIMITS, bytes: 100_000 });
    looking(log);
    const { history } = await view(log, ({ status }) => status === 'live');
    expect(history.eventAt(0)).toBeUndefined();
    world.proxy.cutAt = (kind) => (kind === 'poll' ? 1 : undefined);
    log.need(0);
    await view(log, ({ pageError }) => pageError !== undefined);
    world.proxy.cutAt = () => undefined;
    log.retry();
    await view(log, ({ pageError }) => pageError === undefined && history.eventAt(0) !== undefined);
  });
});

it('a cursor is found, or it is said why not', async () => {
  const run = await HandRun.accept(world.store.log, { tools: 1 });
  await run.finish(5);
  const log = new RunLog(world.connect(), run.run, { ...LIMITS, events: 6 });
  looking(log);
  await view(log, ({ status }) => status === 'live');
  const seqs = await run.seqs();
  expect(log.find(run.cursor(seqs[3]!))).toBe(3);
  expect(log.find(run.cursor(seqs[0]! - 1))).toBe('foreign');
  expect(log.find(run.cursor(seqs.at(-1)!))).toBe('beyond');
  expect(log.find(run.cursor(seqs.at(-1)! + 1))).toBe('ahead');
  expect(log.find('other.0:3')).toBe('foreign');
  expect(log.find('nonsense')).toBe('foreign');
});
