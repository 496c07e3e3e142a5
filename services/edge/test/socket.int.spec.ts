import { evolve, fold, toSnapshot } from '@toolstream/domain';
import { type EventFrame, type RunState, serverFrames, type ToolstreamEvent } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
let edge: TestEdge;

beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats, { TOOLSTREAM_FEED_LINGER_MS: '100' });
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
});

const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));
const recorded = (frame: EventFrame) => ({
  event: frame.event as unknown as ToolstreamEvent,
  seq: seqOf(frame.cursor),
});

describe('a subscription without a cursor', () => {
  it('begins with a snapshot of the present state, then says caught_up', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    const snapshot = await socket.next('snapshot');
    expect(snapshot).toMatchObject({ run: run.run, reason: 'cold' });
    expect(snapshot.state).toEqual(toSnapshot(await run.state(), snapshot.cursor));
    expect((await socket.next('caught_up')).cursor).toBe(snapshot.cursor);
    await socket.close();
  });

  it('gives a snapshot and a tail that fold to the same state as the log, and ends with the run', async () => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.start();
    await run.startTool(0);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    const snapshot = await socket.next('snapshot');
    await run.progress(0, 50);
    await run.succeedTool(0);
    await run.startTool(1);
    await run.succeedTool(1);
    const last = await run.succeed();
    const end = await socket.next('end');
    expect(end).toMatchObject({ run: run.run, status: 'succeeded', cursor: run.cursor(last) });
    const state = fold(socket.of('event').map(recorded), snapshot.state as RunState);
    const { cursor: _cursor, ...folded } = state as RunState & { cursor?: string };
    expect(folded).toEqual(await run.state());
    await socket.close();
  });

  it('is answered with snapshot, caught_up and end when the run has ended already', async () => {
    const run = await HandRun.accept(store.log);
    const last = await run.finish();
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await socket.next('end');
    expect(socket.frames.map((frame) => frame.type)).toEqual(['welcome', 'snapshot', 'caught_up', 'end']);
    expect(socket.of('end')[0]?.cursor).toBe(run.cursor(last));
    await socket.close();
  });
});

describe('event frames', () => {
  it('hold the stored bytes unchanged as their last key, and chain by prev', async () => {
    const run = await HandRun.accept(store.log);
    await run.finish(5);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
    await socket.next('end');
    const stored = await store.log.readRun({ tenant: 't1', run: run.run });
    const frames = socket.of('event');
    expect(frames.map((frame) => seqOf(frame.cursor))).toEqual(stored.map((event) => event.seq));
    let prev = run.cursor(0);
    for (const [at, frame] of frames.entries()) {
      expect(frame.prev).toBe(prev);
      prev = frame.cursor;
      const raw = socket.raw.filter((text) => text.startsWith('{"type":"event"'))[at]!;
      expect(raw.endsWith(`,"event":${stored[at]!.text()}}`)).toBe(true);
      expect(serverFrames.event.safeParse(frame).success).toBe(true);
    }
    await socket.close();
  });

  it('are the same bytes for every subscriber in step', async () => {
    const run = await HandRun.accept(store.log);
    const sockets = await Promise.all(
      Array.from({ length: 3 }, () => TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] })),
    );
    for (const socket of sockets) await socket.next('caught_up');
    await run.finish(10);
    for (const socket of sockets) await socket.next('end');
    const [first, ...others] = sockets.map((socket) => socket.raw.filter((text) => text.startsWith('{"type":"event"')));
    expect(first).toHaveLength(15);
    for (const other of others) expect(other).toEqual(first);
    for (const socket of sockets) await socket.close();
  });

  it('after a cursor that is no event of this run name that cursor as prev once, then join the common chain', async () => {
    const run = await HandRun.accept(store.log);
    await HandRun.accept(store.log);
    const between = (await run.state()).seq + 1;
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: run.cursor(between) }] });
    await socket.next('caught_up');
    const first = await run.start();
    await run.startTool(0);
    await until(() => socket.of('event').length === 3);
    const [one, two] = socket.of('event');
    expect(one).toMatchObject({ prev: run.cursor(between), cursor: run.cursor(first) });
    expect(two?.prev).toBe(run.cursor(first));
    await socket.close();
  });
});

describe('resuming by cursor', () => {
  it('loses and repeats nothing, whenever the connection breaks', async () => {
    const random = seeded(7);
    const run = await HandRun.accept(store.log, { tools: 3 });
    let state: RunState | undefined;
    let cursor = 'start';
    const seen: number[] = [];
    let ended = false;
    const writing = (async () => {
      await pause(50);
      await run.finish(40);
    })();
    for (let connections = 0; !ended; connections++) {
      expect(connections).toBeLessThan(60);
      const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor }] });
      const enough = 1 + Math.floor(random() * 25);
      await until(() => socket.of('event').length >= enough || socket.of('end').length > 0);
      socket.cut();
      for (const frame of socket.of('event')) {
        expect(cursor === 'start' ? run.cursor(0) : cursor).toBe(frame.prev);
        cursor = frame.cursor;
        seen.push(seqOf(frame.cursor));
        state = evolve(state, recorded(frame));
      }
      expect(socket.of('snapshot')).toEqual([]);
      ended = socket.of('end').length > 0;
    }
    await writing;
    expect(seen).toEqual(await run.seqs());
    expect(state).toEqual(await run.state());
  });

  it('holds for clients that come, go and stand still at random while the run goes on', async () => {
    const run = await HandRun.accept(store.log, { tools: 4 });
    const writing = run.finish(250);
    const watch = async (seed: number) => {
      const random = seeded(seed);
      let state: RunState | undefined;
      let cursor: string | undefined = random() < 0.5 ? 'start' : undefined;
      for (let ended = false; !ended; ) {
        const wish = cursor === undefined ? { run: run.run } : { run: run.run, cursor };
        const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [wish] });
        const enough = 1 + Math.floor(random() * 200);
        await until(() => socket.frames.length >= enough || socket.of('end').length > 0);
        if (random() < 0.5) socket.ws.pause();
        await pause(random() * 30);
        socket.cut();
        for (const frame of socket.frames) {
          if (frame.type === 'snapshot') {
            expect(cursor === undefined || seqOf(frame.cursor) >= seqOf(cursor)).toBe(true);
            state = frame.state as RunState;
            cursor = frame.cursor;
          } else if (frame.type === 'event') {
            expect(cursor === 'start' ? run.cursor(0) : cursor).toBe(frame.prev);
            state = evolve(state, recorded(frame));
            cursor = frame.cursor;
          }
        }
        ended = socket.of('end').length > 0;
      }
      return state as RunState & { cursor?: string };
    };
    const states = await Promise.all([1, 2, 3, 4, 5, 6, 7, 8].map(watch));
    await writing;
    const expected = await run.state();
    for (const { cursor: _cursor, ...state } of states) expect(state).toEqual(expected);
  });

  it('many clients with different cursors get exactly what each of them lacks', async () => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.finish(150);
    const seqs = await run.seqs();
    await Promise.all(
      [0, 1, 17, 150, 299, seqs.length - 1].map(async (at) => {
        const cursor = run.cursor(seqs[at]!);
        const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor }] });
        await socket.next('end');
        expect(socket.of('event').map((frame) => seqOf(frame.cursor))).toEqual(seqs.slice(at + 1));
        await socket.close();
      }),
    );
  });

  it('replays a run that is longer than the ring and a page', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const live = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await live.next('caught_up');
    for (let step = 0; step < 1300; step++) await run.progress(0, step % 100);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
    await run.succeedTool(0);
    await run.succeed();
    await socket.next('end');
    await live.next('end');
    const seqs = await run.seqs();
    expect(socket.of('event').map((frame) => seqOf(frame.cursor))).toEqual(seqs);
    expect(live.of('event').map((frame) => seqOf(frame.cursor))).toEqual(seqs.slice(4));
    let prev = run.cursor(0);
    for (const frame of socket.of('event')) {
      expect(frame.prev).toBe(prev);
      prev = frame.cursor;
    }
    await socket.close();
    await live.close();
  });

  it('answers a cursor of another epoch, or of the future, with a snapshot that says so', async () => {
    const run = await HandRun.accept(store.log);
    await run.start();
    for (const cursor of ['foreign.0:3', run.cursor(9_999_999)]) {
      const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor }] });
      expect(await socket.next('snapshot')).toMatchObject({ reason: 'epoch', run: run.run });
      await socket.next('caught_up');
      await socket.close();
    }
  });

  it('refuses what is no cursor, and the connection goes on', async () => {
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'nonsense' }] });
    expect(await socket.next('error')).toMatchObject({ code: 'bad_cursor', run: run.run });
    socket.send({ type: 'subscribe', run: run.run });
    await socket.next('snapshot');
    await socket.close();
  });
});

describe('an app subscription', () => {
  it('lists live runs newest first, relays events of all runs and ends each of them', async () => {
    const app = 'app-live';
    const ended = await HandRun.accept(store.log, { app });
    await ended.finish();
    const first = await HandRun.accept(store.log, { app });
    await pause(5);
    const second = await HandRun.accept(store.log, { app });
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app }] });
    const snapshot = await socket.next('snapshot');
    const { runs } = snapshot.state as { runs: RunState[] };
    expect(runs.map((state) => state.run_id)).toEqual([second.run, first.run]);
    await socket.next('caught_up');
    await first.finish();
    const third = await HandRun.accept(store.log, { app });
    await until(() => socket.of('event', { run: third.run }).length === 1);
    expect(socket.of('end')).toEqual([expect.objectContaining({ app, run: first.run, status: 'succeeded' })]);
    let prev = snapshot.cursor;
    for (const frame of socket.of('event')) {
      expect(frame.app).toBe(app);
      expect(frame.prev).toBe(prev);
      prev = frame.cursor;
    }
    await socket.close();
  });

  it('and a run subscription on one socket both get their frames', async () => {
    const app = 'app-both';
    const run = await HandRun.accept(store.log, { app });
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app }, { run: run.run }] });
    await until(() => socket.of('caught_up').length === 2);
    await run.start();
    await until(() => socket.of('event').length === 2);
    expect(socket.of('event', { app })).toHaveLength(1);
    await socket.close();
  });

  it('resumes by its cursor without loss', async () => {
    const app = 'app-resume';
    const run = await HandRun.accept(store.log, { app, tools: 2 });
    const first = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app, cursor: 'start' }] });
    await first.next('caught_up');
    await run.start();
    await until(() => first.of('event').length === 2);
    first.cut();
    const { cursor } = first.of('event')[1]!;
    await run.startTool(0);
    const second = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app, cursor }] });
    await until(() => second.of('event').length === 2);
    await run.progress(0, 10);
    await until(() => second.of('event').length === 3);
    const seqs = await run.seqs();
    expect([...first.of('event'), ...second.of('event')].map((frame) => seqOf(frame.cursor))).toEqual(seqs);
    expect(second.of('snapshot')).toEqual([]);
    await second.close();
  });
});

describe('a tenant', () => {
  it("cannot see another tenant's run: it does not exist", async () => {
    const run = await HandRun.accept(store.log, { tenant: 't2' });
    const socket = await TestSocket.hello(edge.wsUrl, { token: token({ tenant: 't1' }) });
    socket.send({ type: 'subscribe', run: run.run });
    socket.send({ type: 'subscribe', run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV' });
    socket.send({ type: 'command', id: 'c1', run: run.run, command: 'cancel' });
    await until(() => socket.of('error').length === 3);
    const [foreign, missing] = socket.of('error').filter((frame) => frame.id === undefined);
    expect({ ...foreign, run: '' }).toEqual({ ...missing, run: '' });
    expect(foreign?.code).toBe('not_found');
    expect(socket.of('error').find((frame) => frame.id === 'c1')?.code).toBe('not_found');
    await socket.close();
  });

  it('gets nothing from an app of the same name that belongs to another', async () => {
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ app: 'shared-name' }] });
    await socket.next('caught_up');
    const run = await HandRun.accept(store.log, { tenant: 't2', app: 'shared-name' });
    await run.finish();
    await pause(200);
    expect(socket.of('event')).toEqual([]);
    await socket.close();
  });

  it('is held to the apps of its token', async () => {
    const run = await HandRun.accept(store.log, { app: 'app-a' });
    const socket = await TestSocket.hello(edge.wsUrl, {
      token: token({ apps: ['app-b'] }),
      subscribe: [{ run: run.run }, { app: 'app-a' }],
    });
    await until(() => socket.of('error').length === 2);
    expect(socket.of('error').map((frame) => frame.code)).toEqual(['forbidden', 'forbidden']);
    await socket.close();
  });
});

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}
