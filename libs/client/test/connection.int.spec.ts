import { setTimeout as sleep } from 'node:timers/promises';
import { fold } from '@toolstream/domain';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { clientWith } from '../src/client.ts';
import { ApiError, createClient } from '../src/index.ts';
import { TIMING } from '../src/timing.ts';
import { cursorAt, history, type Recorded, RUN } from './history.ts';
import { collect, cursorsIn, cursorsOf, useLocalEdge } from './watched-edge.ts';

const world = useLocalEdge();
let log: Recorded[];

beforeEach(() => {
  log = history([6, 4], [0, 1]);
});

describe('a connection that breaks', () => {
  it('is made again, and the run goes on at its last cursor: nothing is missing, nothing comes twice', async () => {
    world.edge.append(RUN, ...log.slice(0, 2));
    const client = clientWith({ url: world.edge.url, token: 'a-token' }, { ...TIMING, steadyMs: 1 });
    onTestFinished(() => client.close());
    const watch = client.watch(RUN, { cursor: 'start' });
    const items = collect(watch);
    for (let n = 2; n < log.length; n += 5) {
      await vi.waitFor(() => expect(watch.cursor).toBe(cursorAt(log[n - 1]!.seq)), { timeout: 5_000 });
      world.edge.last.socket.terminate();
      world.edge.append(RUN, ...log.slice(n, n + 5));
    }
    expect(await watch.done).toEqual(fold(log));
    expect(cursorsOf(await items)).toEqual(cursorsIn(log));
    expect(world.edge.peers.length).toBeGreaterThan(2);
  });

  it('says so without touching the state of the run', async () => {
    world.edge.append(RUN, ...log.slice(0, 6));
    const client = world.connect();
    const states: string[] = [];
    client.onConnection(({ status, reason }) => states.push(reason ? `${status}: ${reason}` : status));
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    const before = watch.state;
    world.edge.last.socket.terminate();
    await vi.waitFor(() => expect(client.connection.status).toBe('waiting'));
    expect(watch.state).toBe(before);
    await vi.waitFor(() => expect(client.connection.status).toBe('open'), { timeout: 5_000 });
    expect(states).toEqual(['connecting', 'open', 'waiting: unreachable', 'connecting', 'open']);
  });

  it('comes back when the goodbye says', async () => {
    world.edge.append(RUN, ...log.slice(0, 6));
    const client = world.connect();
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    const told = Date.now();
    world.edge.last.send({ type: 'bye', code: 4201, reason: 'drain', retry_ms: 900 });
    world.edge.last.socket.close(4201);
    await vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'waiting', reason: 'drain' }));
    expect(client.connection.retry_at! - told).toBeGreaterThanOrEqual(900);
    expect(client.connection.retry_at! - told).toBeLessThan(1_200);
    await vi.waitFor(() => expect(world.edge.peers).toHaveLength(2), { timeout: 3_000 });
  });

  it('does not come back when the service says never', async () => {
    world.edge.append(RUN, ...log.slice(0, 6));
    world.edge.admit = () => 4003;
    const client = world.connect();
    await expect(client.watch(RUN).done).rejects.toMatchObject({ code: 'forbidden' });
    expect(client.connection).toEqual({ status: 'closed', transport: 'websocket', reason: 'forbidden' });
    await sleep(700);
    expect(world.edge.peers).toHaveLength(1);
  });

  it('is given up when nothing has been heard for two heartbeats', async () => {
    world.edge.heartbeatMs = 150;
    world.edge.append(RUN, ...log.slice(0, 6));
    const client = world.connect();
    client.watch(RUN);
    await vi.waitFor(() => expect(client.connection.status).toBe('open'));
    await vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'waiting', reason: 'heartbeat_missed' }));
  });

  it('is kept while heartbeats come, each answered with the positions', async () => {
    world.edge.heartbeatMs = 150;
    world.edge.append(RUN, ...log.slice(0, 6));
    const client = world.connect();
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    for (let beat = 0; beat < 6; beat++) {
      world.edge.last.send({ type: 'ping', time: new Date().toISOString() });
      await sleep(150);
    }
    expect(world.edge.peers).toHaveLength(1);
    expect(world.edge.frames('pong').at(-1)).toEqual({ type: 'pong', positions: { [RUN]: cursorAt(log[5]!.seq) } });
  });
});

describe('tokens', () => {
  it('that have expired are replaced before the next attempt', async () => {
    world.edge.append(RUN, ...log);
    world.edge.admit = (token) => (token === 'token-2' ? undefined : 4200);
    let asked = 0;
    const client = world.connect({ token: async () => `token-${++asked}` });
    expect(await client.watch(RUN).done).toEqual(fold(log));
    expect(world.edge.frames('hello').map(({ token }) => token)).toEqual(['token-1', 'token-2']);
  });

  it('that are fixed and have expired are not tried again', async () => {
    world.edge.append(RUN, ...log);
    world.edge.admit = () => 4200;
    const client = world.connect();
    await expect(client.watch(RUN).done).rejects.toMatchObject({ code: 'token_expired' });
    await sleep(700);
    expect(world.edge.peers).toHaveLength(1);
  });

  it('are refreshed on the open connection before they expire', async () => {
    world.edge.expiresInMs = 1_500;
    world.edge.append(RUN, ...log.slice(0, 4));
    let asked = 0;
    const client = world.connect({ token: () => `token-${++asked}` });
    client.watch(RUN);
    await vi.waitFor(
      () => expect(world.edge.frames('refresh')).toEqual([{ type: 'refresh', token: 'token-2' }]),
      3_000,
    );
    expect(world.edge.peers).toHaveLength(1);
  });

  it('that cannot be fetched make the connection wait, not fail', async () => {
    world.edge.append(RUN, ...log);
    let asked = 0;
    const client = world.connect({
      token: async () => {
        if (++asked === 1) throw new Error('the identity provider is away');
        return 'a-token';
      },
    });
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'waiting', reason: 'token_unavailable' }));
    expect(await watch.done).toEqual(fold(log));
  });
});

describe('commands over the socket', () => {
  it('are answered with the cursor of the event that records them', async () => {
    const answer = await world.connect().command(RUN, 'cancel_tool', { index: 1, reason: 'enough' }, { id: 'c-7' });
    expect(answer).toEqual({ cursor: cursorAt(99) });
    expect(world.edge.frames('command')).toEqual([
      {
        type: 'command',
        id: expect.stringMatching(/^[0-9a-f]{32}-c-7$/),
        run: RUN,
        command: 'cancel_tool',
        args: { index: 1, reason: 'enough' },
      },
    ]);
  });

  it('whose answer was lost are sent again with the same id', async () => {
    let swallowed = false;
    world.edge.intercept = (frame, peer) => {
      if (frame.type !== 'command' || swallowed) return false;
      swallowed = true;
      peer.socket.terminate();
      return true;
    };
    expect(await world.connect().command(RUN, 'pause')).toEqual({ cursor: cursorAt(99) });
    const [first, second] = world.edge.frames('command');
    expect(first).toEqual(second);
  });

  it('that are refused reject with the code', async () => {
    world.edge.intercept = (frame, peer) => {
      if (frame.type === 'command')
        peer.send({ type: 'error', id: frame.id, code: 'run_ended', message: 'Too late.', run: RUN });
      return frame.type === 'command';
    };
    const refused = world.connect().command(RUN, 'pause');
    await expect(refused).rejects.toBeInstanceOf(ApiError);
    await expect(refused).rejects.toMatchObject({ code: 'run_ended', status: 409, message: 'Too late.' });
  });

  it('that nobody answers say how to find out', async () => {
    world.edge.intercept = (frame) => frame.type === 'command';
    const lost = world.connect().command(RUN, 'pause', {}, { id: 'c-1', timeoutMs: 100 });
    await expect(lost).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('c-1') });
  });
});

describe('close', () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

  it('ends watches and commands, and leaves no timer behind', async () => {
    world.edge.append(RUN, ...log.slice(0, 4));
    world.edge.intercept = (frame) => frame.type === 'command';
    const before = timers();
    const client = createClient({ url: world.edge.url, token: () => 'a-token' });
    const watch = client.watch(RUN);
    const items = collect(watch);
    const command = client.command(RUN, 'pause');
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    client.close();
    await expect(watch.done).rejects.toMatchObject({ code: 'client_closed' });
    await expect(items).rejects.toMatchObject({ code: 'client_closed' });
    await expect(command).rejects.toMatchObject({ code: 'client_closed' });
    expect(() => client.watch(RUN)).toThrow('closed');
    expect(timers()).toBeLessThanOrEqual(before);
  });

  it('ends a connection that waits for its next attempt', async () => {
    const before = timers();
    const client = createClient({ url: 'http://127.0.0.1:9', token: 'a-token' });
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(client.connection.status).toBe('waiting'), 5_000);
    client.close();
    await expect(watch.done).rejects.toMatchObject({ code: 'client_closed' });
    expect(client.connection).toEqual({ status: 'closed', transport: 'websocket', reason: 'client_closed' });
    expect(timers()).toBeLessThanOrEqual(before);
  });
});
