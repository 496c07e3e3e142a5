import { get, type IncomingMessage } from 'node:http';
import { jetstreamManager } from '@nats-io/jetstream';
import { evolve } from '@toolstream/domain';
import type { RunState, ServerFrame, ToolstreamEvent } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { RawReader } from './raw-reader.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
beforeAll(async () => {
  store = await startTestLog();
});
afterAll(() => store.stop());

const KIB = 1024;
const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function startedRun(tools = 1): Promise<HandRun> {
  const run = await HandRun.accept(store.log, { tools });
  await run.start();
  for (let index = 0; index < tools; index++) await run.startTool(index);
  return run;
}

const print = (run: HandRun, index: number, text: string) =>
  run.append({
    type: 'tool.output.v1',
    data: { channel: 'stdout', text },
    writer: index,
    toolindex: index,
    attempt: 1,
  });

/** Progress, and now and then output, of every tool in turn. */
async function flood(run: HandRun, events: number, options: { tools?: number; everyMs?: number } = {}): Promise<void> {
  const { tools = 1, everyMs = 0 } = options;
  for (let at = 0; at < events; at++) {
    const index = at % tools;
    await (at % 5 === 4 ? print(run, index, `line ${at}\n`) : run.progress(index, at % 101));
    if (everyMs > 0) await pause(everyMs);
  }
}

async function finish(run: HandRun, tools = 1): Promise<void> {
  for (let index = 0; index < tools; index++) await run.succeedTool(index);
  await run.succeed();
}

/** What a client has made of its frames, and that they joined up all the way. */
function followed(frames: readonly ServerFrame[]): { state: RunState; folded: number; events: number; slow: number } {
  let state: RunState | undefined;
  let cursor: string | undefined;
  const seen = { folded: 0, events: 0, slow: 0 };
  for (const frame of frames) {
    if (frame.type === 'snapshot') {
      if (cursor !== undefined) expect(seqOf(frame.cursor)).toBeGreaterThanOrEqual(seqOf(cursor));
      if (frame.reason === 'slow') seen.slow++;
      const { cursor: _cursor, ...rest } = frame.state as RunState & { cursor?: string };
      state = rest;
      cursor = frame.cursor;
    } else if (frame.type === 'event') {
      expect(frame.prev).toBe(cursor);
      state = evolve(state, { event: frame.event as unknown as ToolstreamEvent, seq: seqOf(frame.cursor) });
      cursor = frame.cursor;
      seen.events += frame.folded ?? 1;
      if (frame.folded !== undefined) seen.folded++;
    } else if (frame.type === 'caught_up' || frame.type === 'end') {
      expect(frame.cursor).toBe(cursor);
    }
  }
  return { state: state!, ...seen };
}

/** Answers every ping with where it is, as the client library does; after a while, if told so. */
function answering(socket: TestSocket, run: HandRun, afterMs = 0): TestSocket {
  socket.ws.on('message', (data: Buffer) => {
    const frame = JSON.parse(data.toString()) as ServerFrame;
    if (frame.type !== 'ping') return;
    const at = socket.frames.findLast((each) => each.type === 'event' || each.type === 'snapshot') as
      | { cursor: string }
      | undefined;
    const answer = { type: 'pong', positions: at ? { [run.run]: at.cursor } : {} };
    if (afterMs === 0) socket.send(answer);
    else setTimeout(() => socket.ws.readyState === socket.ws.OPEN && socket.send(answer), afterMs);
  });
  return socket;
}

/** Watches, is caught up, and has shown that it answers pings. */
async function watcher(edge: TestEdge, run: HandRun, afterMs = 0): Promise<TestSocket> {
  const socket = answering(await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] }), run, afterMs);
  await socket.next('ping');
  await pause(afterMs + 50);
  return socket;
}

async function metric(edge: TestEdge, name: string, labels = ''): Promise<number> {
  const text = await (await edge.fetch('/metrics')).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name) && line.includes(labels));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

const steps = (edge: TestEdge, step: string) => metric(edge, 'toolstream_edge_slow_steps', `step="${step}"`);

// They wait most of the time, so they wait together.
describe.concurrent('a client', () => {
  it('that stops reading is sent what it missed folded, loses no output, and the others get every event', async () => {
    const edge = await startTestEdge(store.nats, {
      TOOLSTREAM_SLOW_CLIENT_MS: '9000',
      TOOLSTREAM_HEARTBEAT_MS: '2000',
    });
    const run = await startedRun(2);
    const [slow, quick] = await Promise.all([watcher(edge, run), watcher(edge, run)]);
    slow.ws.pause();
    await flood(run, 50, { tools: 2 });
    await until(async () => (await steps(edge, 'fold')) === 1);
    await flood(run, 400, { tools: 2 });
    await until(() => quick.of('event').length === 450);
    expect(edge.edge.services.clients.sum('waitingBytes')).toBe(0);
    slow.ws.resume();
    await finish(run, 2);
    await Promise.all([slow.next('end'), quick.next('end')]);
    const expected = await run.state();
    const seen = followed(slow.frames);
    expect(seen).toMatchObject({ events: 453, slow: 0 });
    expect(seen.folded).toBeGreaterThan(0);
    expect(slow.of('event').length).toBeLessThan(250);
    expect(seen.state).toEqual(expected);
    expect(followed(quick.frames)).toMatchObject({ events: 453, folded: 0, slow: 0, state: expected });
    expect(quick.of('event')).toHaveLength(453);
    await until(async () => (await metric(edge, 'toolstream_edge_acknowledged_lag_seconds_count')) > 0);
    await edge.stop();
  });

  it('that stops reading is given a snapshot where it has acknowledged nothing for long', async () => {
    const edge = await startTestEdge(store.nats, {
      TOOLSTREAM_SLOW_CLIENT_MS: '3000',
      TOOLSTREAM_HEARTBEAT_MS: '2000',
    });
    const run = await startedRun();
    const slow = await watcher(edge, run);
    slow.ws.pause();
    await flood(run, 20);
    await until(async () => (await steps(edge, 'snapshot')) === 1);
    await flood(run, 100);
    slow.ws.resume();
    await until(() => slow.of('snapshot').length === 2);
    await finish(run);
    await slow.next('end');
    const seen = followed(slow.frames);
    expect(seen.slow).toBe(1);
    expect(seen.events).toBeLessThan(50);
    expect(seen.state).toEqual(await run.state());
    await edge.stop();
  });

  it('that stops reading is sent away in the end, told to come back later, and cut when it does not even read that', async () => {
    const edge = await startTestEdge(store.nats, {
      TOOLSTREAM_SLOW_CLIENT_MS: '1500',
      TOOLSTREAM_HEARTBEAT_MS: '2000',
    });
    const run = await startedRun();
    const slow = await watcher(edge, run);
    slow.ws.pause();
    await flood(run, 20);
    await until(async () => (await steps(edge, 'close')) === 1);
    await until(() => edge.edge.services.clients.size === 0);
    slow.ws.resume();
    expect(await slow.closing()).toEqual({ code: 4102, reason: 'slow' });
    expect(slow.of('bye')).toEqual([expect.objectContaining({ code: 4102, retry_ms: 5_000 })]);
    await edge.stop();
  });

  it('that never answers pings is not judged by them', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_SLOW_CLIENT_MS: '300', TOOLSTREAM_HEARTBEAT_MS: '400' });
    const run = await startedRun();
    const foreign = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await foreign.next('ping');
    await flood(run, 100, { everyMs: 10 });
    await finish(run);
    await foreign.next('end');
    expect(followed(foreign.frames)).toMatchObject({ events: 102, folded: 0, slow: 0, state: await run.state() });
    await edge.stop();
  });

  it('that answers late is folded while it is late and comes to the same state', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_SLOW_CLIENT_MS: '6000', TOOLSTREAM_HEARTBEAT_MS: '400' });
    const run = await startedRun();
    const late = await watcher(edge, run, 500);
    await flood(run, 250, { everyMs: 8 });
    await finish(run);
    await late.next('end');
    const seen = followed(late.frames);
    expect(seen).toMatchObject({ events: 252, slow: 0, state: await run.state() });
    expect(seen.folded).toBeGreaterThan(0);
    await edge.stop();
  });

  it('that reads a kibibyte now and then follows at its own pace, by folds and snapshots, and is at the end where the others are', async () => {
    const edge = await startTestEdge(store.nats, {
      TOOLSTREAM_SLOW_CLIENT_MS: '3000',
      TOOLSTREAM_HEARTBEAT_MS: '1600',
    });
    const run = await startedRun(2);
    const quick = await watcher(edge, run);
    // A tenth of the ladder's times, and so ten times of one kibibyte a second.
    const slow = await RawReader.hello(edge.wsUrl, { subscribe: [{ run: run.run }], everyMs: 100 });
    await until(() => slow.frames.some(({ type }) => type === 'ping'));
    let most = 0;
    const sampling = setInterval(() => {
      most = Math.max(most, edge.edge.services.clients.sum('waitingBytes'));
    }, 10);
    await flood(run, 200, { tools: 2, everyMs: 10 });
    await finish(run, 2);
    clearInterval(sampling);
    await quick.next('end');
    await until(() => slow.frames.some(({ type }) => type === 'end'));
    const state = await run.state();
    const seen = followed(slow.frames);
    expect(seen.folded + seen.slow).toBeGreaterThan(0);
    expect(seen.state).toEqual(state);
    expect(followed(quick.frames)).toMatchObject({ events: 203, folded: 0, slow: 0, state });
    expect(slow.bytes).toBeLessThan(quick.raw.reduce((sum, text) => sum + text.length, 0));
    expect(most).toBeLessThan(128 * KIB);
    slow.stop();
    await edge.stop();
  });
});

describe('a flood beyond what the kernel holds', () => {
  it('costs a bounded amount of memory per client that does not read, be it a socket or a stream', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_SLOW_CLIENT_MS: '4000' });
    const run = await startedRun();
    const quick = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    const slow = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await Promise.all([quick.next('caught_up'), slow.next('caught_up')]);
    const stream = await new Promise<IncomingMessage>((resolve) => {
      const headers = { accept: 'text/event-stream', authorization: `Bearer ${token()}` };
      get(`${edge.url}/v1/runs/${run.run}/events`, { headers }, resolve);
    });
    stream.on('error', () => {});
    slow.ws.pause();
    let most = 0;
    for (let at = 0; at < 1_000; at++) {
      await print(run, 0, `${at}`.padEnd(16_000, 'x'));
      most = Math.max(most, edge.edge.services.clients.sum('waitingBytes'));
    }
    await until(() => followed(quick.frames).events === 1_000);
    // Two clients, of each what may wait, one batch more and what is written in one turn.
    expect(most).toBeGreaterThan(128 * KIB);
    expect(most).toBeLessThan(2 * (128 + 128 + 64) * KIB);
    slow.ws.resume();
    await until(() => slow.of('snapshot').length === 2);
    await finish(run);
    await Promise.all([slow.next('end'), quick.next('end')]);
    const state = await run.state();
    expect(followed(slow.frames)).toMatchObject({ slow: 1, state });
    expect(followed(quick.frames)).toMatchObject({ slow: 0, state });
    await until(() => edge.edge.services.clients.count('stream') === 0);
    expect(await steps(edge, 'close')).toBe(1);
    await edge.stop();
  });
});

describe('a replay', () => {
  it('is given every event unfolded, however much it is and however late it is read', async () => {
    const edge = await startTestEdge(store.nats);
    const run = await startedRun();
    for (let at = 0; at < 700; at++) await print(run, 0, `${at}`.padEnd(12_000, 'x'));
    await flood(run, 600);
    const reader = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
    reader.ws.pause();
    await pause(200);
    await finish(run);
    reader.ws.resume();
    await reader.next('end');
    expect(reader.of('event').map(({ cursor }) => seqOf(cursor))).toEqual(await run.seqs());
    expect(reader.of('event').filter(({ folded }) => folded !== undefined)).toEqual([]);
    expect(await steps(edge, 'fold')).toBe(0);
    await edge.stop();
  });

  it('whose history is purged under it goes on with a snapshot that says so', async () => {
    const edge = await startTestEdge(store.nats);
    const run = await startedRun();
    for (let at = 0; at < 900; at++) await print(run, 0, `${at}`.padEnd(16_000, 'x'));
    const reader = await TestSocket.open(edge.wsUrl);
    reader.send({ type: 'hello', token: token(), subscribe: [{ run: run.run, cursor: 'start' }] });
    reader.ws.pause();
    const other = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    await other.next('caught_up');
    await run.append({ type: 'run.paused.v1', data: {}, writer: 'run' });
    await run.append({ type: 'run.resumed.v1', data: {}, writer: 'run' });
    const before = await run.state();
    await until(() => other.of('event').length === 2);
    const manager = await jetstreamManager(store.nc);
    await manager.streams.purge('EVENTS_0', { seq: before.seq - 20 });
    reader.ws.resume();
    const snapshot = await reader.next('snapshot');
    expect(snapshot).toMatchObject({ reason: 'gap', cursor: run.cursor(before.seq) });
    expect(reader.of('event').length).toBeGreaterThan(60);
    expect(reader.of('event').length).toBeLessThan(890);
    await reader.next('caught_up');
    await finish(run);
    await Promise.all([reader.next('end'), other.next('end')]);
    let state = before;
    for (const frame of other.of('event').slice(2)) {
      state = evolve(state, { event: frame.event as unknown as ToolstreamEvent, seq: seqOf(frame.cursor) })!;
    }
    expect(followed(reader.frames.slice(reader.frames.indexOf(snapshot))).state).toEqual(state);
    await edge.stop();
  });
});
