import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HandRun } from '../../../services/edge/test/hand-run.ts';
import { uniqueName } from '../../../services/edge/test/harness.ts';
import { useFallbackWorld as fallbackWorld } from '../../client/test/fallback-world.ts';
import { createRunStore, createRunsStore, type RunStore, type RunView } from '../src/store.ts';

const world = fallbackWorld();

/** Every view that somebody who renders this would have rendered. */
function rendered(store: RunStore): RunView[] {
  const views = [store.getSnapshot()];
  onTestFinished(store.subscribe(() => views.push(store.getSnapshot())));
  return views;
}
const until = (check: () => void) => vi.waitFor(check, { timeout: 15_000, interval: 10 });

describe('against a real edge, whose connections break', () => {
  it.each(['websocket', 'sse', 'polling'] as const)(
    'every event is shown once over %s, and the state is the log’s',
    async (transport) => {
      const run = await HandRun.accept(world.store.log, { tools: 4 });
      const store = createRunStore(world.connect({ transports: [transport] }), run.run, { cursor: 'start' });
      store.keep(1_000);
      const views = rendered(store);
      await until(() => expect(views.at(-1)!.caughtUp).toBe(true));
      const finished = run.finish(20);
      await until(() => expect(store.events.getSnapshot().length).toBeGreaterThan(10));
      world.proxy.cut(transport === 'websocket' ? 'upgrade' : 'request');
      await finished;
      await until(() => expect(views.at(-1)!.status).toBe('ended'));
      const seen = store.events.getSnapshot().map(({ cursor }) => cursor);
      expect(seen).toEqual((await run.seqs()).map((seq) => run.cursor(seq)));
      expect(views.at(-1)!.run).toEqual(await run.state());
      const seqs = views.flatMap((view) => (view.run ? [view.run.seq] : []));
      expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    },
  );

  it('a run that nobody looks at for a while is gone on with where it was left', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    const store = createRunStore(world.connect(), run.run, { cursor: 'start' });
    store.keep(1_000);
    const leave = store.subscribe(() => {});
    await until(() => expect(store.getSnapshot().caughtUp).toBe(true));
    leave();
    store.close();
    await run.finish(10);
    expect(store.getSnapshot().run?.status).toBe('accepted');
    rendered(store);
    await until(() => expect(store.getSnapshot().status).toBe('ended'));
    expect(store.events.getSnapshot().map(({ cursor }) => cursor)).toEqual(
      (await run.seqs()).map((seq) => run.cursor(seq)),
    );
    expect(store.getSnapshot().jumped).toBeUndefined();
  });

  it('an app’s live runs are listed as they come', async () => {
    const app = uniqueName('app');
    const store = createRunsStore(world.connect(), app);
    onTestFinished(store.subscribe(() => {}));
    await until(() => expect(store.getSnapshot()).toMatchObject({ status: 'live', runs: [] }));
    const run = await HandRun.accept(world.store.log, { app });
    await until(() => expect(store.getSnapshot().runs.map(({ run_id }) => run_id)).toEqual([run.run]));
    await run.finish(1);
    await until(() => expect(store.getSnapshot().runs).toMatchObject([{ status: 'succeeded' }]));
  });
});
