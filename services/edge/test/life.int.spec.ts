import { evolve } from '@toolstream/domain';
import type { RunState } from '@toolstream/proto-events';
import { createLogger } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestLog, token, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
beforeAll(async () => {
  store = await startTestLog();
});
afterAll(() => store.stop());

const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));

describe('a client that does not read', () => {
  const env = { TOOLSTREAM_CLIENT_BUFFER_BYTES: '65536' };

  it('gets a fresh snapshot with the reason slow, and the others lose no time by it', async () => {
    const edge = await startTestEdge(store.nats, env);
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const slow = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    const quick = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await Promise.all([slow.next('caught_up'), quick.next('caught_up')]);
    slow.ws.pause();
    const text = 'x'.repeat(16_000);
    // Kernel buffers hold megabytes: only what is beyond them waits in the edge.
    for (let at = 0; at < 900; at++) {
      const data = { channel: 'stdout', text };
      await run.append({ type: 'tool.output.v1', data, writer: 0, toolindex: 0, attempt: 1 });
    }
    const [{ seq: last }] = [await run.state()];
    await until(() => quick.of('event').length === 900);
    expect(edge.edge.services.clients.sum('waitingBytes')).toBeLessThan(2 * 1024 * 1024);
    slow.ws.resume();
    const snapshot = await slow.next('snapshot', 2);
    expect(snapshot).toMatchObject({ reason: 'slow', run: run.run, cursor: run.cursor(last) });
    const before = slow.of('event').map((frame) => seqOf(frame.cursor));
    expect(before.length).toBeLessThan(900);
    await run.succeedTool(0);
    await run.succeed();
    await slow.next('end');
    let state: RunState | undefined = snapshot.state as RunState;
    const after = slow.of('event').slice(before.length);
    expect(after[0]?.prev).toBe(snapshot.cursor);
    for (const frame of after) {
      state = evolve(state, { event: frame.event as never, seq: seqOf(frame.cursor) });
    }
    const { cursor: _cursor, ...folded } = state as RunState & { cursor?: string };
    expect(folded).toEqual(await run.state());
    await edge.stop();
  });

  it('is closed as slow when it makes no room in time', async () => {
    const edge = await startTestEdge(store.nats, { ...env, TOOLSTREAM_SLOW_CLIENT_MS: '1000' });
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const slow = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await slow.next('caught_up');
    slow.ws.pause();
    for (let at = 0; at < 900; at++) {
      const data = { channel: 'stdout', text: 'x'.repeat(16_000) };
      await run.append({ type: 'tool.output.v1', data, writer: 0, toolindex: 0, attempt: 1 });
    }
    await until(() => edge.edge.services.clients.size === 0);
    slow.ws.resume();
    await slow.closing();
    await edge.stop();
  });
});

describe('a lost log', () => {
  it('is bridged without loss when the server restarts on its data', async () => {
    const edge = await startTestEdge(store.nats);
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
    await socket.next('caught_up');
    for (let at = 0; at < 50; at++) await run.progress(0, at);
    await store.nats.kill9();
    await store.nats.restart();
    for (let at = 50; at < 100; at++) await run.progress(0, at);
    await run.succeedTool(0);
    await run.succeed();
    await until(() => socket.of('end').length === 1, 20_000);
    expect(socket.of('event').map((frame) => seqOf(frame.cursor))).toEqual(await run.seqs());
    expect(socket.of('snapshot')).toEqual([]);
    await edge.stop();
  });

  it('that cannot be continued is answered by a snapshot with its reason', async () => {
    const edge = await startTestEdge(store.nats);
    const run = await HandRun.accept(store.log);
    const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }, { app: 'app-lost' }] });
    await until(() => socket.of('caught_up').length === 2);
    const { jetstreamManager } = await import('@nats-io/jetstream');
    const manager = await jetstreamManager(store.nc);
    await manager.streams.delete('EVENTS_0');
    const { declareStreams } = await import('@toolstream/event-log');
    await declareStreams(store.nc, { mode: 'create', partitions: 1 });
    await store.log.refreshEpochs();
    await until(() => socket.of('error', { run: run.run }).length === 1, 20_000);
    expect(socket.of('error')[0]).toMatchObject({ code: 'not_found', run: run.run });
    await until(() => socket.of('snapshot', { app: 'app-lost' }).length === 2, 20_000);
    const snapshot = socket.of('snapshot', { app: 'app-lost' })[1]!;
    expect(snapshot.reason).toBe('epoch');
    expect(snapshot.cursor.startsWith(`${store.log.epoch(0)}.0:`)).toBe(true);
    const next = await HandRun.accept(store.log, { app: 'app-lost' });
    await until(() => socket.of('event', { app: 'app-lost' }).length === 1, 20_000);
    expect(socket.of('event')[0]).toMatchObject({ run: next.run, prev: snapshot.cursor });
    await edge.stop();
  });
});

describe('feeds', () => {
  it('are one per run whatever number watches, and end a moment after the last watcher', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_FEED_LINGER_MS: '150' });
    const run = await HandRun.accept(store.log);
    const sockets = await Promise.all(
      Array.from({ length: 20 }, () => TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] })),
    );
    for (const socket of sockets) await socket.next('caught_up');
    expect(edge.edge.services.feeds.size).toBe(1);
    for (const socket of sockets) socket.cut();
    await until(() => edge.edge.services.clients.size === 0);
    expect(edge.edge.services.feeds.size).toBe(1);
    await until(() => edge.edge.services.feeds.size === 0);
    expect(edge.edge.services.feeds.ringBytes).toBe(0);
    await edge.stop();
  });
});

describe('many clients that come at the same time', () => {
  it('share reads: those that replay a run, and those that want its state', async () => {
    const edge = await startTestEdge(store.nats);
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.start();
    await run.startTool(0);
    for (let at = 0; at < 100; at++) await run.progress(0, at);
    const seqs = await run.seqs();
    const cursors = ['start', 'start', 'start', undefined, undefined, run.cursor(seqs[50]!)];
    const clients = await Promise.all(
      Array.from({ length: 150 }, async (_, at) => {
        const cursor = cursors[at % cursors.length];
        const socket = await TestSocket.hello(edge.wsUrl);
        socket.send({ type: 'subscribe', run: run.run, ...(cursor === undefined ? {} : { cursor }) });
        return { socket, cursor };
      }),
    );
    for (const { socket } of clients) await socket.next('caught_up');
    for (const { socket, cursor } of clients) {
      const expected = cursor === 'start' ? seqs : cursor === undefined ? [] : seqs.slice(51);
      expect(socket.of('event').map((frame) => seqOf(frame.cursor))).toEqual(expected);
    }
    expect(edge.reads()).toBeLessThan(10);
    const last = run.cursor(await run.succeedTool(0));
    await until(() => clients.every(({ socket }) => socket.of('event').at(-1)?.cursor === last));
    for (const { socket } of clients) socket.cut();
    await edge.stop();
  });
});

describe('logs', () => {
  it('never hold a token or a ticket', async () => {
    let written = '';
    const destination = {
      write: (line: string) => {
        written += line;
      },
    };
    const logger = createLogger({ name: 'edge', level: 'trace', destination });
    const edge = await startTestEdge(store.nats, {}, logger);
    const secret = token();
    await edge.fetch(`/v1/runs/0-01ARZ3NDEKTSV4RRFFQ69G5FAV/events?token=${secret}`, { token: '' });
    await edge.fetch(`/v1/nothing?token=${secret}&ticket=${'t'.repeat(43)}`);
    await edge.fetch(`/v1/nothing?jid=${secret}&access_token=${secret}`);
    const socket = await TestSocket.open(`${edge.wsUrl}?ticket=${'t'.repeat(43)}`);
    socket.send({ type: 'hello' });
    await socket.closing();
    await edge.stop();
    expect(written).toContain('answered');
    expect(written).toContain('[redacted]');
    expect(written).not.toContain(secret);
    expect(written).not.toContain('t'.repeat(43));
  });
});
