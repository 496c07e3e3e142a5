import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { SECRET, startTestEdge, startTestLog, type TestLog, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
beforeAll(async () => {
  store = await startTestLog();
});
afterAll(() => store.stop());

const seqOf = (cursor: string): number => Number(cursor.slice(cursor.lastIndexOf(':') + 1));

/** An edge in a process of its own, and its address. */
async function startProcess(env: Record<string, string>): Promise<{ child: ChildProcess; wsUrl: string }> {
  const child = fork(new URL('../src/main.ts', import.meta.url), {
    execArgv: ['--conditions=toolstream', '--import', 'tsx'],
    env: {
      ...process.env,
      NATS_URL: store.nats.url,
      PORT: '0',
      TOOLSTREAM_HOST: '127.0.0.1',
      TOOLSTREAM_JWT_SECRET: SECRET,
      LOG_LEVEL: 'silent',
      ...env,
    },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [ready] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => {
      throw new Error(`the edge ended with ${code}`);
    }),
  ])) as [{ port: number }];
  return { child, wsUrl: `ws://127.0.0.1:${ready.port}/ws` };
}

describe('a drain', () => {
  it('of a process is begun by SIGTERM, is not hurried by another, and ends with exit code 0', async () => {
    const { child, wsUrl } = await startProcess({ TOOLSTREAM_DRAIN_MS: '800' });
    const sockets = await Promise.all(Array.from({ length: 10 }, () => TestSocket.hello(wsUrl)));
    const exited = once(child, 'exit');
    const began = performance.now();
    child.kill('SIGTERM');
    await until(() => sockets.some((socket) => socket.closed !== undefined));
    child.kill('SIGTERM');
    expect(await exited).toEqual([0, null]);
    expect(performance.now() - began).toBeGreaterThan(700);
    expect(performance.now() - began).toBeLessThan(5_000);
    for (const socket of sockets) expect(await socket.closing()).toEqual({ code: 4201, reason: 'drain' });
  });

  it('says goodbye evenly over the time, and what a client missed it reads at another edge', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_DRAIN_MS: '1000' });
    const other = await startTestEdge(store.nats);
    const run = await HandRun.accept(store.log);
    await run.start();
    await run.startTool(0);
    const leaving: number[] = [];
    const clients = await Promise.all(
      Array.from({ length: 60 }, async () => {
        const socket = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
        await socket.next('caught_up');
        return { socket, again: undefined as TestSocket | undefined };
      }),
    );
    const began = performance.now();
    for (const client of clients) {
      client.socket.ws.on('close', () => {
        leaving.push(performance.now() - began);
        const cursor = client.socket.of('event').at(-1)!.cursor;
        void TestSocket.hello(other.wsUrl, { subscribe: [{ run: run.run, cursor }] }).then((socket) => {
          client.again = socket;
        });
      });
    }
    const stopping = edge.edge.stop();
    for (let at = 0; at < 100; at++) await run.progress(0, at);
    await stopping;
    await run.succeedTool(0);
    await run.succeed();
    const took = performance.now() - began;
    expect(took).toBeGreaterThan(900);
    expect(took).toBeLessThan(3_000);

    expect(leaving.length).toBe(60);
    for (let at = 0; at < took; at += 100) {
      // 6 are due in 100 ms; a busy machine may delay some into the next.
      expect(leaving.filter((when) => when >= at && when < at + 100).length).toBeLessThan(30);
    }
    await until(() => clients.every(({ again }) => again !== undefined && again.of('end').length === 1));
    const seqs = await run.seqs();
    for (const { socket, again } of clients) {
      expect(socket.closed).toEqual({ code: 4201, reason: 'drain' });
      const [bye] = socket.of('bye');
      expect(bye).toMatchObject({ code: 4201, reason: 'drain' });
      expect(bye!.retry_ms).toBeGreaterThanOrEqual(50);
      expect(bye!.retry_ms).toBeLessThanOrEqual(500);
      expect(again!.of('snapshot')).toEqual([]);
      expect([...socket.of('event'), ...again!.of('event')].map((frame) => seqOf(frame.cursor))).toEqual(seqs);
    }
    expect(new Set(clients.map(({ socket }) => socket.of('bye')[0]!.retry_ms)).size).toBeGreaterThan(10);
    await edge.stop();
    await other.stop();
  });

  it('is announced first: not ready, but open, for as long as it takes until nobody is sent here', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_DRAIN_DELAY_MS: '400', TOOLSTREAM_DRAIN_MS: '600' });
    const before = await TestSocket.hello(edge.wsUrl);
    expect((await edge.fetch('/readyz')).status).toBe(200);
    const stopping = edge.edge.stop();
    const ready = await edge.fetch('/readyz');
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ ready: false, checks: { draining: true } });
    // A load balancer that has not noticed yet.
    const late = await TestSocket.hello(edge.wsUrl);
    expect(before.closed).toBeUndefined();
    await until(() => edge.edge.services.clients.draining);
    await expect(TestSocket.open(edge.wsUrl)).rejects.toThrow('503');
    const refused = await edge.fetch('/v1/runs/0-01ARZ3NDEKTSV4RRFFQ69G5FAV/events').catch(() => undefined);
    if (refused) {
      expect([404, 503]).toContain(refused.status);
      expect(refused.headers.get('connection')).toBe('close');
    }
    await stopping;
    expect((await before.closing()).code).toBe(4201);
    expect((await late.closing()).code).toBe(4201);
    await edge.stop();
  });

  it('cuts off who does not answer, ends streams with a time to come back, and is done once however often it is asked for', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_DRAIN_MS: '100' });
    const run = await HandRun.accept(store.log);
    const deaf = await TestSocket.hello(edge.wsUrl);
    const waiting = await TestSocket.open(edge.wsUrl);
    const stream = await edge.fetch(`/v1/runs/${run.run}/events`, { headers: { accept: 'text/event-stream' } });
    deaf.ws.pause();
    const began = performance.now();
    const first = edge.edge.stop();
    const second = edge.edge.stop();
    await first;
    expect(performance.now() - began).toBeLessThan(5_000);
    await second;
    await edge.edge.stop();
    // What was cut off is gone when its connection has ended, which is a moment later.
    await until(() => edge.edge.services.clients.size === 0 && edge.edge.services.admission.size === 0);
    expect((await waiting.closing()).code).toBe(4201);
    const text = await stream.text();
    const retry = Number(/retry: (\d+)\n\n$/.exec(text)?.[1]);
    expect(retry).toBeGreaterThanOrEqual(50);
    expect(retry).toBeLessThanOrEqual(500);
    await edge.stop();
  });

  it('of an edge without clients takes no time', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_DRAIN_MS: '60000' });
    const began = performance.now();
    await edge.edge.stop();
    expect(performance.now() - began).toBeLessThan(2_000);
    await edge.stop();
  });
});
