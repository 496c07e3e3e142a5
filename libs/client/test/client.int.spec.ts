import { fold } from '@toolstream/domain';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket as WsSocket } from 'ws';
import { cursorAt, eventFrame, history, type Recorded, RUN } from './history.ts';
import { collect, cursorsIn, cursorsOf, useLocalEdge } from './watched-edge.ts';

const OTHER = '0-01JQZX5M9G7V3T8R2KQWERTYAC';
const world = useLocalEdge();
let log: Recorded[];

beforeEach(() => {
  log = history([6, 4], [0, 1]);
});

describe.each([
  ['the global WebSocket', undefined],
  ['the WebSocket of ws', WsSocket],
])('a client with %s', (_, WebSocket) => {
  it('follows a run from its snapshot to its end', async () => {
    world.edge.append(RUN, ...log.slice(0, 5));
    const watch = world.connect(WebSocket ? { WebSocket } : {}).watch(RUN);
    const items = collect(watch);
    await vi.waitFor(() => expect(watch.state).toEqual(fold(log.slice(0, 5))));
    world.edge.append(RUN, ...log.slice(5));
    expect(await watch.done).toEqual(fold(log));
    expect((await items).map(({ type }) => type)).toEqual(['snapshot', ...log.slice(5).map(() => 'event'), 'end']);
    expect(cursorsOf(await items)).toEqual(cursorsIn(log.slice(5)));
  });
});

describe('subscriptions', () => {
  it('share one socket', async () => {
    const other = history([2], [], OTHER);
    world.edge.append(RUN, ...log);
    world.edge.append(OTHER, ...other);
    const client = world.connect();
    const done = [client.watch(RUN).done, client.watch(OTHER, { cursor: 'start' }).done];
    expect(await Promise.all(done)).toEqual([fold(log), fold(other)]);
    expect(world.edge.peers).toHaveLength(1);
  });

  it('of the same run are one, and the later watch begins with what is known', async () => {
    world.edge.append(RUN, ...log.slice(0, 5));
    const client = world.connect();
    const first = client.watch(RUN);
    await new Promise((resolve) => first.on('caught_up', resolve));
    const second = client.watch(RUN);
    const caughtUp: string[] = [];
    second.on('caught_up', ({ cursor }) => caughtUp.push(cursor));
    const items = collect(second);
    expect(() => client.watch(RUN, { cursor: 'start' })).toThrow('watched already');
    first.close();
    world.edge.append(RUN, ...log.slice(5));
    expect(await second.done).toEqual(fold(log));
    expect((await items)[0]).toMatchObject({ type: 'snapshot', cursor: cursorAt(log[4]!.seq) });
    expect(caughtUp).toEqual([cursorAt(log[4]!.seq)]);
    expect(world.edge.frames('hello').flatMap(({ subscribe }) => subscribe)).toEqual([{ run: RUN }]);
    expect(world.edge.frames('subscribe')).toEqual([]);
  });

  it('that nobody uses any more are given back', async () => {
    world.edge.append(RUN, ...log.slice(0, 5));
    world.edge.append(OTHER, ...history([9], [], OTHER).slice(0, 4));
    const client = world.connect();
    client.watch(OTHER);
    const watch = client.watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    watch.close();
    await expect(watch.done).rejects.toMatchObject({ code: 'watch_closed' });
    await vi.waitFor(() => expect(world.edge.frames('unsubscribe')).toEqual([{ type: 'unsubscribe', run: RUN }]));
  });

  it('of a run that does not exist fail with its code', async () => {
    const watch = world.connect().watch(OTHER);
    const errors: string[] = [];
    watch.on('error', ({ code }) => errors.push(code));
    await expect(watch.done).rejects.toMatchObject({ code: 'not_found', status: 404 });
    expect(errors).toEqual(['not_found']);
  });

  it('are tried again when the service says that it has trouble', async () => {
    world.edge.append(RUN, ...log);
    let refused = 0;
    world.edge.intercept = (frame, peer) => {
      if (frame.type !== 'subscribe' && frame.type !== 'hello') return false;
      if (refused++ > 0) return false;
      const expires_at = new Date(Date.now() + 60_000).toISOString();
      peer.send({ type: 'welcome', session: 's', heartbeat_ms: 15_000, expires_at, epoch: 'e1' });
      peer.send({ type: 'error', code: 'unavailable', message: 'Not now.', run: RUN });
      return true;
    };
    expect(await world.connect().watch(RUN).done).toEqual(fold(log));
    expect(world.edge.frames('subscribe')).toHaveLength(1);
  });
});

describe('frames that do not join up', () => {
  it('are noticed, and the subscription resumes at the last good cursor', async () => {
    world.edge.append(RUN, ...log.slice(0, 4));
    const watch = world.connect().watch(RUN, { cursor: 'start' });
    const items = collect(watch);
    const gaps: unknown[] = [];
    watch.on('gap', (gap) => gaps.push(gap));
    await vi.waitFor(() => expect(watch.cursor).toBe(cursorAt(log[3]!.seq)));
    let lose = 2;
    world.edge.passes = (frame) => frame.type !== 'event' || lose-- <= 0;
    world.edge.append(RUN, ...log.slice(4, 8));
    await vi.waitFor(() => expect(watch.cursor).toBe(cursorAt(log[7]!.seq)));
    world.edge.append(RUN, ...log.slice(8));
    expect(await watch.done).toEqual(fold(log));
    expect(gaps).toEqual([{ type: 'gap', expected: cursorAt(log[3]!.seq), received: cursorAt(log[6]!.seq) }]);
    expect(cursorsOf(await items)).toEqual(cursorsIn(log));
    expect(world.edge.frames('subscribe')).toEqual([{ type: 'subscribe', run: RUN, cursor: cursorAt(log[3]!.seq) }]);
  });

  it('are noticed when the last one before the end is lost', async () => {
    world.edge.append(RUN, ...log.slice(0, 4));
    const watch = world.connect().watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    let lost = false;
    world.edge.passes = (frame) => {
      const lose = !lost && frame.type === 'event' && frame.event.type === 'run.succeeded.v1';
      if (lose) lost = true;
      return !lose;
    };
    world.edge.append(RUN, ...log.slice(4));
    expect(await watch.done).toEqual(fold(log));
  });

  it('are ignored when they are of a newer kind, no JSON, or of a run that is not watched', async () => {
    world.edge.append(RUN, ...log.slice(0, 4));
    const watch = world.connect().watch(RUN);
    await vi.waitFor(() => expect(watch.state).toBeDefined());
    world.edge.last.socket.send('{"type":"confetti"}');
    world.edge.last.socket.send('no json');
    world.edge.last.send({ ...eventFrame(log[4]!, cursorAt(1)), run: OTHER } as never);
    world.edge.append(RUN, ...log.slice(4));
    expect(await watch.done).toEqual(fold(log));
  });
});

describe('a listener that throws', () => {
  it('does not keep the others from hearing', async () => {
    const report = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => report.mockRestore());
    world.edge.append(RUN, ...log);
    const watch = world.connect().watch(RUN);
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
