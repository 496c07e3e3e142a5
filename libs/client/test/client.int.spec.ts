import { setTimeout as sleep } from 'node:timers/promises';
import { fold } from '@toolstream/domain';
import type { RunState } from '@toolstream/proto-events';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket as WsSocket } from 'ws';
import { clientWith } from '../src/client.ts';
import { ApiError, type ClientOptions, createClient, type RunWatch, type WatchItem } from '../src/index.ts';
import { TIMING } from '../src/timing.ts';
import { cursorAt, eventFrame, history, type Recorded, RUN } from './history.ts';
import { LocalEdge } from './local-edge.ts';

const OTHER = '0-01JQZX5M9G7V3T8R2KQWERTYAC';
let edge: LocalEdge;
let log: Recorded[];

beforeEach(async () => {
  edge = await LocalEdge.start();
  log = history([6, 4], [0, 1]);
});
afterEach(() => edge.stop());

function connect(options: Partial<ClientOptions> = {}) {
  const client = createClient({ url: edge.url, token: 'a-token', ...options });
  onTestFinished(() => client.close());
  return client;
}

/** Everything that the watch gives, until it ends. */
async function collect(watch: RunWatch): Promise<WatchItem<RunState>[]> {
  const items: WatchItem<RunState>[] = [];
  for await (const item of watch) items.push(item);
  return items;
}

const cursorsOf = (items: readonly WatchItem<RunState>[]) =>
  items.flatMap((item) => (item.type === 'event' ? [item.cursor] : []));
const cursorsIn = (recorded: readonly Recorded[]) => recorded.map(({ seq }) => cursorAt(seq));

describe.each([
  ['the global WebSocket', undefined],
  ['the WebSocket of ws', WsSocket],
])('a client with %s', (_, WebSocket) => {
  it('follows a run from its snapshot to its end', async () => {
    edge.append(RUN, ...log.slice(0, 5));
    const watch = connect(WebSocket ? { WebSocket } : {}).watch(RUN);
    const items = collect(watch);
    await vi.waitFor(() => expect(watch.state).toEqual(fold(log.slice(0, 5))));
    edge.append(RUN, ...log.slice(5));
    expect(await watch.done).toEqual(fold(log));
    expect((await items).map(({ type }) => type)).toEqual(['snapshot', ...log.slice(5).map(() => 'event'), 'end']);
    expect(cursorsOf(await items)).toEqual(cursorsIn(log.slice(5)));
  });
});

describe('subscriptions', () => {
  it('share one socket', async () => {
    const other = history([2], [], OTHER);
    edge.append(RUN, ...log);
    edge.append(OTHER, ...other);
    const client = connect();
    const done = [client.watch(RUN).done, client.watch(OTHER, { cursor: 'start' }).done];
    expect(await Promise.all(done)).toEqual([fold(log), fold(other)]);
    expect(edge.peers).toHaveLength(1);
  });

  it('of the same run are one, and the later watch begins with what is known', async () => {
    edge.append(RUN, ...log.slice(0, 5));
    const client = connect();
    const first = client.watch(RUN);
    await vi.waitFor(() => expect(first.state).toBeDefined());
    const second = client.watch(RUN);
    const items = collect(second);
    expect(() => client.watch(RUN, { cursor: 'start' })).toThrow('watched already');
    first.close();
    edge.append(RUN, ...log.slice(5));
    expect(await second.done).toEqual(fold(log));
    expect((await items)[0]).toMatchObject({ type: 'snapshot', cursor: cursorAt(log[4]!.seq) });
    expect(edge.frames('hello').flatMap(({ subscribe }) => subscribe)).toEqual([{ run: RUN }]);
    expect(edge.frames('subscribe')).toEqual([]);
  });

  it('that nobody uses any more are given back', async () => {
    edge.append(RUN, ...log.slice(0, 5));
    edge.append(OTHER, ...history([9], [], OTHER).slice(0, 4));
    const client = connect();
    client.watch(OTHER);
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    watch.close();
    await expect(watch.done).rejects.toMatchObject({ code: 'watch_closed' });
    await vi.waitFor(() => expect(edge.frames('unsubscribe')).toEqual([{ type: 'unsubscribe', run: RUN }]));
  });

  it('of a run that does not exist fail with its code', async () => {
    const watch = connect().watch(OTHER);
    const errors: string[] = [];
    watch.on('error', ({ code }) => errors.push(code));
    await expect(watch.done).rejects.toMatchObject({ code: 'not_found', status: 404 });
    expect(errors).toEqual(['not_found']);
  });

  it('are tried again when the service says that it has trouble', async () => {
    edge.append(RUN, ...log);
    let refused = 0;
    edge.intercept = (frame, peer) => {
      if (frame.type !== 'subscribe' && frame.type !== 'hello') return false;
      if (refused++ > 0) return false;
      const expires_at = new Date(Date.now() + 60_000).toISOString();
      peer.send({ type: 'welcome', session: 's', heartbeat_ms: 15_000, expires_at, epoch: 'e1' });
      peer.send({ type: 'error', code: 'unavailable', message: 'Not now.', run: RUN });
      return true;
    };
    expect(await connect().watch(RUN).done).toEqual(fold(log));
    expect(edge.frames('subscribe')).toHaveLength(1);
  });
});

describe('a connection that breaks', () => {
  it('is made again, and the run goes on at its last cursor: nothing is missing, nothing comes twice', async () => {
    edge.append(RUN, ...log.slice(0, 2));
    const client = clientWith({ url: edge.url, token: 'a-token' }, { ...TIMING, steadyMs: 1 });
    onTestFinished(() => client.close());
    const watch = client.watch(RUN, { cursor: 'start' });
    const items = collect(watch);
    for (let n = 2; n < log.length; n += 5) {
      await vi.waitFor(() => expect(watch.cursor).toBe(cursorAt(log[n - 1]!.seq)), { timeout: 5_000 });
      edge.last.socket.terminate();
      edge.append(RUN, ...log.slice(n, n + 5));
    }
    expect(await watch.done).toEqual(fold(log));
    expect(cursorsOf(await items)).toEqual(cursorsIn(log));
    expect(edge.peers.length).toBeGreaterThan(2);
  });

  it('says so without touching the state of the run', async () => {
    edge.append(RUN, ...log.slice(0, 6));
    const client = connect();
    const states: string[] = [];
    client.onConnection(({ status, reason }) => states.push(reason ? `${status}: ${reason}` : status));
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    const before = watch.state;
    edge.last.socket.terminate();
    await vi.waitFor(() => expect(client.connection.status).toBe('waiting'));
    expect(watch.state).toBe(before);
    await vi.waitFor(() => expect(client.connection.status).toBe('open'), { timeout: 5_000 });
    expect(states).toEqual(['connecting', 'open', 'waiting: unreachable', 'connecting', 'open']);
  });

  it('comes back when the goodbye says', async () => {
    edge.append(RUN, ...log.slice(0, 6));
    const client = connect();
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    const told = Date.now();
    edge.last.send({ type: 'bye', code: 4201, reason: 'drain', retry_ms: 900 });
    edge.last.socket.close(4201);
    await vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'waiting', reason: 'drain' }));
    expect(client.connection.retry_at! - told).toBeGreaterThanOrEqual(900);
    expect(client.connection.retry_at! - told).toBeLessThan(1_200);
    await vi.waitFor(() => expect(edge.peers).toHaveLength(2), { timeout: 3_000 });
  });

  it('does not come back when the service says never', async () => {
    edge.append(RUN, ...log.slice(0, 6));
    edge.admit = () => 4003;
    const client = connect();
    await expect(client.watch(RUN).done).rejects.toMatchObject({ code: 'forbidden' });
    expect(client.connection).toEqual({ status: 'closed', transport: 'websocket', reason: 'forbidden' });
    await sleep(700);
    expect(edge.peers).toHaveLength(1);
  });

  it('is given up when nothing has been heard for two heartbeats', async () => {
    edge.heartbeatMs = 150;
    edge.append(RUN, ...log.slice(0, 6));
    const client = connect();
    client.watch(RUN);
    await vi.waitFor(() => expect(client.connection.status).toBe('open'));
    await vi.waitFor(() => expect(client.connection).toMatchObject({ status: 'waiting', reason: 'heartbeat_missed' }));
  });

  it('is kept while heartbeats come, each answered with the positions', async () => {
    edge.heartbeatMs = 150;
    edge.append(RUN, ...log.slice(0, 6));
    const client = connect();
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    for (let beat = 0; beat < 6; beat++) {
      edge.last.send({ type: 'ping', time: new Date().toISOString() });
      await sleep(150);
    }
    expect(edge.peers).toHaveLength(1);
    expect(edge.frames('pong').at(-1)).toEqual({ type: 'pong', positions: { [RUN]: cursorAt(log[5]!.seq) } });
  });
});

describe('frames that do not join up', () => {
  it('are noticed, and the subscription resumes at the last good cursor', async () => {
    edge.append(RUN, ...log.slice(0, 4));
    const watch = connect().watch(RUN, { cursor: 'start' });
    const items = collect(watch);
    const gaps: unknown[] = [];
    watch.on('gap', (gap) => gaps.push(gap));
    await vi.waitFor(() => expect(watch.cursor).toBe(cursorAt(log[3]!.seq)));
    let lose = 2;
    edge.passes = (frame) => frame.type !== 'event' || lose-- <= 0;
    edge.append(RUN, ...log.slice(4, 8));
    await vi.waitFor(() => expect(watch.cursor).toBe(cursorAt(log[7]!.seq)));
    edge.append(RUN, ...log.slice(8));
    expect(await watch.done).toEqual(fold(log));
    expect(gaps).toEqual([{ type: 'gap', expected: cursorAt(log[3]!.seq), received: cursorAt(log[6]!.seq) }]);
    expect(cursorsOf(await items)).toEqual(cursorsIn(log));
    expect(edge.frames('subscribe')).toEqual([{ type: 'subscribe', run: RUN, cursor: cursorAt(log[3]!.seq) }]);
  });

  it('are noticed when the last one before the end is lost', async () => {
    edge.append(RUN, ...log.slice(0, 4));
    const watch = connect().watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    let lost = false;
    edge.passes = (frame) => {
      const lose = !lost && frame.type === 'event' && frame.event.type === 'run.succeeded.v1';
      if (lose) lost = true;
      return !lose;
    };
    edge.append(RUN, ...log.slice(4));
    expect(await watch.done).toEqual(fold(log));
  });

  it('are ignored when they are of a newer kind, no JSON, or of a run that is not watched', async () => {
    edge.append(RUN, ...log.slice(0, 4));
    const watch = connect().watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    edge.last.socket.send('{"type":"confetti"}');
    edge.last.socket.send('no json');
    edge.last.send({ ...eventFrame(log[4]!, cursorAt(1)), run: OTHER } as never);
    edge.append(RUN, ...log.slice(4));
    expect(await watch.done).toEqual(fold(log));
  });
});

describe('tokens', () => {
  it('that have expired are replaced before the next attempt', async () => {
    edge.append(RUN, ...log);
    edge.admit = (token) => (token === 'token-2' ? undefined : 4200);
    let asked = 0;
    const client = connect({ token: async () => `token-${++asked}` });
    expect(await client.watch(RUN).done).toEqual(fold(log));
    expect(edge.frames('hello').map(({ token }) => token)).toEqual(['token-1', 'token-2']);
  });

  it('that are fixed and have expired are not tried again', async () => {
    edge.append(RUN, ...log);
    edge.admit = () => 4200;
    const client = connect();
    await expect(client.watch(RUN).done).rejects.toMatchObject({ code: 'token_expired' });
    await sleep(700);
    expect(edge.peers).toHaveLength(1);
  });

  it('are refreshed on the open connection before they expire', async () => {
    edge.expiresInMs = 1_500;
    edge.append(RUN, ...log.slice(0, 4));
    let asked = 0;
    const client = connect({ token: () => `token-${++asked}` });
    client.watch(RUN);
    await vi.waitFor(() => expect(edge.frames('refresh')).toEqual([{ type: 'refresh', token: 'token-2' }]), 3_000);
    expect(edge.peers).toHaveLength(1);
  });

  it('that cannot be fetched make the connection wait, not fail', async () => {
    edge.append(RUN, ...log);
    let asked = 0;
    const client = connect({
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
    const answer = await connect().command(RUN, 'cancel_tool', { index: 1, reason: 'enough' }, { id: 'c-7' });
    expect(answer).toEqual({ cursor: cursorAt(99) });
    expect(edge.frames('command')).toEqual([
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
    edge.intercept = (frame, peer) => {
      if (frame.type !== 'command' || swallowed) return false;
      swallowed = true;
      peer.socket.terminate();
      return true;
    };
    expect(await connect().command(RUN, 'pause')).toEqual({ cursor: cursorAt(99) });
    const [first, second] = edge.frames('command');
    expect(first).toEqual(second);
  });

  it('that are refused reject with the code', async () => {
    edge.intercept = (frame, peer) => {
      if (frame.type === 'command')
        peer.send({ type: 'error', id: frame.id, code: 'run_ended', message: 'Too late.', run: RUN });
      return frame.type === 'command';
    };
    const refused = connect().command(RUN, 'pause');
    await expect(refused).rejects.toBeInstanceOf(ApiError);
    await expect(refused).rejects.toMatchObject({ code: 'run_ended', status: 409, message: 'Too late.' });
  });

  it('that nobody answers say how to find out', async () => {
    edge.intercept = (frame) => frame.type === 'command';
    const lost = connect().command(RUN, 'pause', {}, { id: 'c-1', timeoutMs: 100 });
    await expect(lost).rejects.toMatchObject({ code: 'timeout', message: expect.stringContaining('c-1') });
  });
});

describe('close', () => {
  const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;

  it('ends watches and commands, and leaves no timer behind', async () => {
    edge.append(RUN, ...log.slice(0, 4));
    edge.intercept = (frame) => frame.type === 'command';
    const before = timers();
    const client = createClient({ url: edge.url, token: () => 'a-token' });
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

describe('a listener that throws', () => {
  it('does not keep the others from hearing', async () => {
    const report = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => report.mockRestore());
    edge.append(RUN, ...log);
    const watch = connect().watch(RUN);
    const heard: string[] = [];
    watch.on('end', () => {
      throw new Error('a bug of the page');
    });
    watch.on('end', ({ status }) => heard.push(status));
    await watch.done;
    expect(heard).toEqual(['succeeded']);
    expect(report).toHaveBeenCalledOnce();
  });
});
