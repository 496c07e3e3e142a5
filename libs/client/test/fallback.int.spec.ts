import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { HandRun } from '../../../services/edge/test/hand-run.ts';
import { cursors, expectWhole, open, seeded, states, useFallbackWorld } from './fallback-world.ts';

const world = useFallbackWorld();

describe('where WebSockets do not get through', () => {
  it.each(['refuse', 'reset', 'swallow'] as const)('(%s) events come as a stream, every one of them', async (how) => {
    world.proxy.treatments.upgrade = how;
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    const client = world.connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'sse');
    expect(client.connection.reason).toBe('websocket_blocked');
    await run.finish(20);
    await expectWhole(run, watch, seen);
  });

  it('nor streams, a run is asked for again and again', async () => {
    world.proxy.treatments.upgrade = 'refuse';
    world.proxy.treatments.stream = 'hold';
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    const client = world.connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'polling', 10_000);
    expect(client.connection.reason).toBe('sse_blocked');
    await run.start();
    await run.startTool(0);
    for (let n = 0; n < 5; n++) {
      await run.progress(0, n * 20);
      await sleep(30);
    }
    await run.succeedTool(0);
    await run.startTool(1);
    await run.succeedTool(1);
    await run.succeed();
    await expectWhole(run, watch, seen);
  });

  it('a socket that breaks again and again is given up, and the run goes on at its cursor', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    world.proxy.cutAt = (kind) => (kind === 'upgrade' ? 4_000 : undefined);
    const client = world.connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'websocket');
    await run.start();
    await run.startTool(0);
    const writing = (async () => {
      for (let n = 0; n < 60; n++) {
        await run.progress(0, n);
        await sleep(30);
      }
      await run.succeedTool(0);
      await run.succeed();
    })();
    await open(client, 'sse', 10_000);
    await writing;
    await expectWhole(run, watch, seen);
  });

  it('a snapshot comes first, whatever carries it', async () => {
    const run = await HandRun.accept(world.store.log);
    await run.start();
    for (const transport of ['sse', 'polling'] as const) {
      const watch = world.connect({ transports: [transport] }).watch(run.run);
      const first = await watch[Symbol.asyncIterator]().next();
      expect(first.value).toMatchObject({ type: 'snapshot', reason: 'cold', state: { status: 'running' } });
    }
  });
});

describe('what is needed where WebSockets do not get through', () => {
  const partsFailing = (times: number) => ({
    requests: () => import('../src/requests.ts'),
    fallback: vi.fn(() =>
      times-- > 0 ? Promise.reject(new TypeError('Failed to fetch')) : import('../src/fallback.ts'),
    ),
  });

  it('is not loaded where they do', async () => {
    const parts = partsFailing(0);
    const run = await HandRun.accept(world.store.log);
    const client = world.connect({}, {}, parts);
    const watch = client.watch(run.run);
    await open(client, 'websocket');
    world.proxy.cut();
    await run.finish(1);
    await watch.done;
    expect(parts.fallback).not.toHaveBeenCalled();
  });

  it('is not asked for while the service cannot be reached, so that no browser remembers a failure', async () => {
    const parts = partsFailing(0);
    const run = await HandRun.accept(world.store.log);
    const client = world.connect({}, {}, parts);
    for (const kind of ['upgrade', 'request'] as const) world.proxy.treatments[kind] = 'reset';
    const watch = client.watch(run.run);
    await vi.waitFor(() => expect(world.proxy.count('upgrade')).toBeGreaterThan(3), { timeout: 5_000 });
    expect(parts.fallback).not.toHaveBeenCalled();
    for (const kind of ['upgrade', 'request'] as const) world.proxy.treatments[kind] = 'pass';
    await run.finish(1);
    await watch.done;
  });

  it('is told once when it cannot be loaded, and tried again until it can', async () => {
    world.proxy.treatments.upgrade = 'refuse';
    const parts = partsFailing(2);
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    const client = world.connect({}, {}, parts);
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    const errors: string[] = [];
    watch.on('error', ({ code }) => errors.push(code));
    const reasons: (string | undefined)[] = [];
    client.onConnection(({ reason }) => reasons.push(reason));
    await open(client, 'sse', 10_000);
    expect(parts.fallback).toHaveBeenCalledTimes(3);
    expect(errors).toEqual(['part_unavailable']);
    expect(reasons).toContain('part_unavailable');
    expect(client.connection.reason).toBe('websocket_blocked');
    await run.finish(5);
    await expectWhole(run, watch, seen);
  });

  it('is tried again where there is nothing else, and what was commanded meanwhile is done', async () => {
    const run = await HandRun.accept(world.store.log);
    const client = world.connect({ transports: ['polling'] }, {}, partsFailing(2));
    const errors: string[] = [];
    for (const watch of [client.watch(run.run), client.watchMessage('m-1')])
      watch.on('error', ({ code }) => errors.push(code));
    const answer = client.command(run.run, 'pause');
    await vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'waiting', reason: 'part_unavailable' }));
    expect(await answer).toEqual({ cursor: 'e.0:7' });
    await open(client, 'polling');
    expect(errors).toEqual(['part_unavailable', 'part_unavailable']);
  });
});

describe('a better transport that works again', () => {
  it('is taken: from polling to streams to a socket, without a gap', async () => {
    world.proxy.treatments.upgrade = 'refuse';
    world.proxy.treatments.stream = 'hold';
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    const client = world.connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'polling', 10_000);
    await run.start();
    await run.startTool(0);
    let writing = true;
    const write = async () => {
      for (let n = 0; writing; n++) {
        await run.progress(0, n % 100);
        await sleep(10);
      }
    };
    const written = write();
    world.proxy.treatments.stream = 'pass';
    await open(client, 'sse');
    world.proxy.treatments.upgrade = 'pass';
    await open(client, 'websocket');
    expect(client.connection.reason).toBeUndefined();
    writing = false;
    await written;
    await run.succeedTool(0);
    await run.succeed();
    await expectWhole(run, watch, seen);
    expect(world.edge.edge.services.clients.count('stream')).toBe(0);
  });

  it('is not taken before it holds', async () => {
    world.proxy.treatments.upgrade = 'refuse';
    const run = await HandRun.accept(world.store.log);
    const client = world.connect({}, { holdMs: 400 });
    client.watch(run.run);
    await open(client, 'sse');
    const before = world.proxy.count('upgrade');
    const seen = states(client);
    world.proxy.treatments.upgrade = 'pass';
    const cutting = setInterval(() => world.proxy.cut('upgrade'), 100);
    onTestFinished(() => clearInterval(cutting));
    await vi.waitFor(() => expect(world.proxy.count('upgrade')).toBeGreaterThan(before + 1), { timeout: 5_000 });
    expect(seen).not.toContain('websocket open');
  });

  it('a service that is away for everybody blocks nothing: the socket is what comes back', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    const client = world.connect();
    const watch = client.watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    await open(client, 'websocket');
    const passed = states(client);
    for (const kind of ['upgrade', 'stream', 'poll', 'request'] as const) world.proxy.treatments[kind] = 'reset';
    world.proxy.cut();
    await sleep(2_500);
    for (const kind of ['upgrade', 'stream', 'poll', 'request'] as const) world.proxy.treatments[kind] = 'pass';
    await run.finish(3);
    await expectWhole(run, watch, seen);
    expect(passed.filter((state) => !state.startsWith('websocket'))).toEqual([]);
  });
});

describe('answers that are cut off at any byte', () => {
  it.each([
    ['sse', 'stream'],
    ['polling', 'poll'],
  ] as const)('over %s lose nothing and repeat nothing', async (transport, kind) => {
    const random = seeded(20260101);
    let cuts = 5;
    world.proxy.cutAt = (of) => (of === kind && cuts-- > 0 ? 1 + Math.floor(random() * 6_000) : undefined);
    const run = await HandRun.accept(world.store.log, { tools: 2, arguments: () => ({ text: 'ä€𝄞'.repeat(50) }) });
    await run.finish(30);
    const watch = world.connect({ transports: [transport] }).watch(run.run, { cursor: 'start' });
    const seen = cursors(watch);
    const gaps: unknown[] = [];
    watch.on('gap', (gap) => gaps.push(gap));
    await expectWhole(run, watch, seen);
    expect(gaps).toEqual([]);
    expect(cuts).toBeLessThan(3);
  });
});
