import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { HandRun } from '../../../services/edge/test/hand-run.ts';
import { token, uniqueName } from '../../../services/edge/test/harness.ts';
import { STREAMS_AT_ONCE } from '../src/sse.ts';
import { cursors, expectWhole, open, useFallbackWorld } from './fallback-world.ts';

const world = useFallbackWorld();
const KINDS = ['upgrade', 'stream', 'poll', 'request'] as const;

describe('commands on a fallback', () => {
  it('are requests, in order, and answered with their cursors', async () => {
    const run = await HandRun.accept(world.store.log);
    const client = world.connect({ transports: ['sse', 'polling'] });
    const answers = [client.command(run.run, 'pause'), client.command(run.run, 'resume')];
    expect(await Promise.all(answers)).toEqual([{ cursor: 'e.0:7' }, { cursor: 'e.0:7' }]);
    expect(world.commands.map(({ name }) => name)).toEqual(['pause', 'resume']);
    expect(new Set(world.commands.map(({ command_id }) => command_id)).size).toBe(2);
  });

  it('that were sent over a socket which then broke are repeated as the same command', async () => {
    const run = await HandRun.accept(world.store.log);
    const client = world.connect();
    client.watch(run.run);
    await open(client, 'websocket');
    world.answerAfterMs = 400;
    const answer = client.command(run.run, 'pause');
    await vi.waitFor(() => expect(world.commands).toHaveLength(1));
    world.proxy.treatments.upgrade = 'refuse';
    world.proxy.cut('upgrade');
    expect(await answer).toEqual({ cursor: 'e.0:7' });
    expect(client.connection.transport).toBe('sse');
    expect(world.commands).toHaveLength(2);
    expect(world.commands[1]).toEqual(world.commands[0]);
  });

  it('are tried again while the service cannot be reached, and refused for good reasons only', async () => {
    const run = await HandRun.accept(world.store.log);
    const client = world.connect({ transports: ['polling'] });
    world.proxy.treatments.request = 'reset';
    const answer = client.command(run.run, 'pause');
    await sleep(300);
    world.proxy.treatments.request = 'pass';
    expect(await answer).toEqual({ cursor: 'e.0:7' });
    const missing = client.command('0-01ARZ3NDEKTSV4RRFFQ69G5FAV', 'pause');
    await expect(missing).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('a watch that joins one under way', () => {
  it.each(['websocket', 'sse', 'polling'] as const)(
    'while the service is out of reach has caught up when it is back, not before, over %s',
    async (transport) => {
      const run = await HandRun.accept(world.store.log);
      const client = world.connect({ transports: [transport] });
      const first = client.watch(run.run);
      await new Promise((resolve) => first.on('caught_up', resolve));
      for (const kind of KINDS) world.proxy.treatments[kind] = 'reset';
      world.proxy.cut();
      await vi.waitFor(() => expect(client.connection.status).toBe('waiting'), { timeout: 10_000 });
      await run.start();
      const joined: string[] = [];
      const second = client.watch(run.run);
      for (const name of ['snapshot', 'event', 'caught_up'] as const) second.on(name, () => void joined.push(name));
      await vi.waitFor(() => expect(joined).toEqual(['snapshot']));
      for (const kind of KINDS) world.proxy.treatments[kind] = 'pass';
      await vi.waitFor(() => expect(joined).toEqual(['snapshot', 'event', 'caught_up']), { timeout: 10_000 });
    },
  );
});

describe('tokens', () => {
  it('that expire under way are replaced on every transport', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 1 });
    const followers = (['websocket', 'sse', 'polling'] as const).map((transport) => {
      const fetch = vi.fn(() => {
        const first = fetch.mock.calls.length === 1;
        return token({ exp: Math.floor(Date.now() / 1000) + (first ? 1 : 600) });
      });
      const watch = world.connect({ transports: [transport], token: fetch }).watch(run.run, { cursor: 'start' });
      return { watch, seen: cursors(watch), fetch };
    });
    await run.start();
    await run.startTool(0);
    for (let n = 0; n < 20; n++) {
      await run.progress(0, n);
      await sleep(120);
    }
    await run.succeedTool(0);
    await run.succeed();
    for (const { watch, seen, fetch } of followers) {
      await expectWhole(run, watch, seen);
      expect(fetch).toHaveBeenCalledTimes(2);
    }
  });

  it.each(['websocket', 'sse', 'polling'] as const)(
    'that are fixed and have expired end it on %s',
    async (transport) => {
      const run = await HandRun.accept(world.store.log);
      const client = world.connect({
        transports: [transport],
        token: token({ exp: Math.floor(Date.now() / 1000) - 60 }),
      });
      await expect(client.watch(run.run).done).rejects.toMatchObject({ code: 'token_expired' });
      expect(client.connection).toEqual({ status: 'closed', transport, reason: 'token_expired' });
    },
  );
});

describe('a token that is revoked', () => {
  it.each(['websocket', 'sse', 'polling'] as const)('ends it on %s, and no other is asked for', async (transport) => {
    const run = await HandRun.accept(world.store.log);
    const sub = uniqueName('user');
    const fetch = vi.fn(() => token({ sub, iat: Math.floor(Date.now() / 1000) - 5 }));
    const client = world.connect({ transports: [transport], token: fetch });
    const watch = client.watch(run.run);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    const revoked = await world.edge.fetch('/v1/revocations', {
      method: 'POST',
      body: JSON.stringify({ sub }),
      token: token({ scope: 'admin' }),
    });
    expect(revoked.status).toBeLessThan(300);
    await expect(watch.done).rejects.toMatchObject({ code: 'token_revoked' });
    expect(client.connection).toMatchObject({ status: 'closed', reason: 'token_revoked' });
    expect(fetch).toHaveBeenCalledTimes(1);
  });
});

describe('subscriptions on a fallback', () => {
  it('stream as long as a browser has connections to spare; the others are asked for, until there is room', async () => {
    const runs = await Promise.all(Array.from({ length: 6 }, () => HandRun.accept(world.store.log)));
    const client = world.connect({ transports: ['sse', 'polling'] });
    const watches = runs.map(({ run }) => client.watch(run));
    await vi.waitFor(() => expect(watches.every(({ state }) => state !== undefined)).toBe(true), { timeout: 5_000 });
    const streams = () => world.edge.edge.services.clients.count('stream');
    expect(streams()).toBe(STREAMS_AT_ONCE);
    await runs[0]!.finish(1);
    await watches[0]!.done;
    await vi.waitFor(() => expect(streams()).toBe(STREAMS_AT_ONCE));
    await Promise.all(runs.slice(1).map((run) => run.finish(1)));
    await Promise.all(watches.map(({ done }) => done));
    await vi.waitFor(() => expect(streams()).toBe(0));
  });

  it.each(['sse', 'polling'] as const)('follow all runs of an app over %s', async (transport) => {
    const app = uniqueName('app');
    const first = await HandRun.accept(world.store.log, { app });
    const client = world.connect({ transports: [transport] });
    const watch = client.watchApp(app);
    await vi.waitFor(() => expect(watch.state?.runs).toHaveLength(1));
    const ends: string[] = [];
    watch.on('end', ({ run }) => ends.push(run));
    const second = await HandRun.accept(world.store.log, { app });
    await first.finish(2);
    await second.finish(2);
    await vi.waitFor(() => expect(ends).toEqual([first.run, second.run]));
    expect(watch.state?.runs.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
  });

  it('of what does not exist fail with its code', async () => {
    for (const transport of ['sse', 'polling'] as const) {
      const watch = world.connect({ transports: [transport] }).watch('0-01ARZ3NDEKTSV4RRFFQ69G5FAV');
      await expect(watch.done).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('of a run that had ended at their cursor end at once', async () => {
    const run = await HandRun.accept(world.store.log);
    const cursor = run.cursor(await run.finish(1));
    for (const transport of ['websocket', 'sse', 'polling'] as const) {
      const watch = world.connect({ transports: [transport] }).watch(run.run, { cursor, state: await run.state() });
      expect(await watch.done).toEqual(await run.state());
    }
  });

  it('at a cursor of another log begin anew', async () => {
    const run = await HandRun.accept(world.store.log);
    await run.start();
    const { seq, ...state } = await run.state();
    for (const transport of ['websocket', 'sse', 'polling'] as const) {
      const from = { cursor: `other.0:${seq + 1000}`, state: { ...state, seq: seq + 1000 } };
      const watch = world.connect({ transports: [transport] }).watch(run.run, from);
      const reasons: string[] = [];
      watch.on('snapshot', ({ reason }) => reasons.push(reason));
      await vi.waitFor(() => expect(reasons).toEqual(['cold', 'epoch']));
      expect(watch.state?.seq).toBe(seq);
    }
  });
});

describe('two clients with one token', () => {
  it('both get everything, each on its own connection', async () => {
    const run = await HandRun.accept(world.store.log, { tools: 2 });
    const same = token();
    const watches = [world.connect({ token: same }), world.connect({ token: same })].map((c) =>
      c.watch(run.run, { cursor: 'start' }),
    );
    const seen = watches.map(cursors);
    await run.finish(10);
    for (const [at, watch] of watches.entries()) await expectWhole(run, watch, seen[at]!);
  });
});
