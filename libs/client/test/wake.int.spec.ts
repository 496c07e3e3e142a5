import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HandRun } from '../../../services/edge/test/hand-run.ts';
import type { ConnectionState } from '../src/index.ts';
import { cursors, expectWhole, open, states, useFallbackWorld } from './fallback-world.ts';

const world = useFallbackWorld();

describe('a page that wakes', () => {
  const page = () => {
    const around = new EventTarget();
    vi.stubGlobal('addEventListener', around.addEventListener.bind(around));
    vi.stubGlobal('removeEventListener', around.removeEventListener.bind(around));
    const document = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    vi.stubGlobal('document', document);
    onTestFinished(() => void vi.unstubAllGlobals());
    return { around, document };
  };

  it.each(['websocket', 'sse'] as const)(
    'finds a dead connection (%s) at once and goes on at its cursor',
    async (transport) => {
      const { document } = page();
      const run = await HandRun.accept(world.store.log, { tools: 1 });
      const timing = { streamSilenceMs: 2_000, streamOpenMs: 5_000 };
      const client = world.connect({ transports: [transport] }, timing);
      const watch = client.watch(run.run, { cursor: 'start' });
      const seen = cursors(watch);
      await open(client, transport);
      world.proxy.mute();
      await sleep(1_250);
      const passed: ConnectionState[] = [];
      client.onConnection((state) => passed.push(state));
      document.dispatchEvent(new Event('visibilitychange'));
      await vi.waitFor(() => expect(passed.some(({ status }) => status !== 'open')).toBe(true), { timeout: 500 });
      await run.finish(3);
      await expectWhole(run, watch, seen);
    },
  );

  it('streams while somebody sees it, and asks again and again while nobody does', async () => {
    const { document } = page();
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    const client = world.connect({ transports: ['sse', 'polling'] });
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'sse');
    const streams = () => world.edge.edge.services.clients.count('stream');
    document.visibilityState = 'hidden';
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.waitFor(() => expect(streams()).toBe(0));
    await run.start();
    await vi.waitFor(() => expect(seen).toHaveLength(2));
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    await vi.waitFor(() => expect(streams()).toBe(1));
    await run.startTool(0);
    await run.succeedTool(0);
    await run.succeed();
    await expectWhole(run, watch, seen);
  });

  it('leaves a living connection alone', async () => {
    const { around, document } = page();
    const run = await HandRun.accept(world.store.log);
    const client = world.connect();
    client.watch(run.run);
    await open(client, 'websocket');
    const passed = states(client);
    for (let n = 0; n < 3; n++) {
      around.dispatchEvent(new Event('online'));
      document.dispatchEvent(new Event('visibilitychange'));
      await sleep(250);
    }
    expect(passed).toEqual([]);
  });

  it.each(['websocket', 'sse', 'polling'] as const)(
    'parts politely when it is frozen, and comes back (%s)',
    async (transport) => {
      const { document } = page();
      const run = await HandRun.accept(world.store.log, { tools: 1 });
      const client = world.connect({ transports: [transport] });
      const watch = client.watch(run.run, { cursor: 'start' });
      const seen = cursors(watch);
      await open(client, transport);
      document.dispatchEvent(new Event('freeze'));
      expect(client.connection).toEqual({ status: 'waiting', transport, reason: 'frozen' });
      await vi.waitFor(() => expect(world.edge.edge.services.clients.size).toBe(0));
      await run.finish(3);
      await sleep(200);
      expect(seen.length).toBeLessThan(2);
      document.dispatchEvent(new Event('resume'));
      await expectWhole(run, watch, seen);
    },
  );
});
