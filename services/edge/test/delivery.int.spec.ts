import type { DeliveryReport } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, type TestEdge, token, until } from './harness.ts';
import { problem } from './http-support.ts';
import { TestSocket } from './socket-client.ts';
import { startTestStack, type TestStack } from './stack.ts';

let stack: TestStack;
let one: TestEdge;
let two: TestEdge;
const admin = token({ scope: 'admin' });

const anotherEdge = (instance: string) =>
  startTestEdge(stack.store.nats, { TOOLSTREAM_PARTITIONS: '2' }, undefined, instance);

beforeAll(async () => {
  stack = await startTestStack();
  await stack.stopOrchestrator();
  [one, two] = await Promise.all([anotherEdge('edge-1'), anotherEdge('edge-2')]);
});
afterAll(async () => {
  await Promise.all([one.stop(), two.stop()]);
  await stack.stop();
});

async function reportOf(edge: TestEdge, query = ''): Promise<DeliveryReport> {
  const response = await edge.fetch(`/v1/delivery${query}`, { token: admin });
  expect(response.status).toBe(200);
  return (await response.json()) as DeliveryReport;
}

/** Reports are kept for a moment: asks until it is so. */
async function becomes(edge: TestEdge, right: (report: DeliveryReport) => boolean): Promise<DeliveryReport> {
  let latest: DeliveryReport | undefined;
  await until(async () => {
    latest = await reportOf(edge);
    return right(latest);
  });
  return latest!;
}

const all = ({ cells }: { cells: readonly number[] }) => cells.reduce((sum, count) => sum + count, 0);

describe('GET /v1/delivery', () => {
  it('tells at every edge what all of them did together', async () => {
    const run = await HandRun.accept(stack.store.log);
    const [atOne, atTwo] = await Promise.all(
      [one, two].map((edge) => TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] })),
    );
    await Promise.all([atOne!.next('caught_up'), atTwo!.next('caught_up')]);
    await run.start();
    const { cursor } = await atTwo!.next('event');
    await atOne!.next('event');
    atTwo!.cut();
    const back = await TestSocket.hello(one.wsUrl, { subscribe: [{ run: run.run, cursor }] });
    await back.next('caught_up');

    const right = ({ total, edges }: DeliveryReport) =>
      total.joined.cursor === 1 && edges.reduce((sum, { now }) => sum + now.sockets, 0) === 2;
    const [byOne, byTwo] = await Promise.all([becomes(one, right), becomes(two, right)]);
    for (const report of [byOne, byTwo]) {
      expect(report.edges.map(({ instance }) => instance)).toEqual(['edge-1', 'edge-2']);
      expect(report.silent).toBe(0);
      expect(report.total).toMatchObject({
        joined: { snapshot: 2, start: 0, cursor: 1 },
        snapshots: { cold: 2, gap: 0, slow: 0, epoch: 0 },
        gaps: { repaired: 0, snapshot: 0 },
        connections: { accepted: 3, refused: 0 },
      });
      // One event, which each of the two relayed once, however many watch it there.
      expect(report.edges.map(({ relayed }) => all(relayed))).toEqual([1, 1]);
      expect(all(report.total.relayed)).toBe(2);
      expect(report.buckets.reduce((sum, { counts }) => sum + all(counts.relayed), 0)).toBe(2);
      expect(report.edges.map(({ now }) => now.sockets)).toEqual([2, 0]);
    }
    await Promise.all([atOne!.close(), back.close()]);
  });

  it('tells where the log is and how far the projection has come', async () => {
    const run = await HandRun.accept(stack.store.log, { partition: 1 });
    const last = await run.finish();
    const report = await becomes(one, ({ log, projection }) => projection?.pending === 0 && log[1]?.last_seq === last);
    expect(report.projection).toEqual({ pending: 0, lag_ms: 0 });
    expect(report.log).toEqual([
      {
        partition: 0,
        epoch: one.edge.services.log.epoch(0),
        last_seq: expect.any(Number),
        projected_seq: expect.any(Number),
      },
      { partition: 1, epoch: one.edge.services.log.epoch(1), last_seq: last, projected_seq: last },
    ]);
  });

  it('counts a refusal to connect, and who replays from the start', async () => {
    const before = (await reportOf(one)).total;
    const run = await HandRun.accept(stack.store.log);
    await run.finish();
    const whole = await TestSocket.hello(two.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
    await whole.next('end');
    await whole.close();
    await expect(TestSocket.open(two.wsUrl, { origin: 'https://elsewhere.example' })).rejects.toThrow();
    const { total } = await becomes(one, ({ total }) => total.connections.refused > before.connections.refused);
    expect(total.joined.start).toBe(before.joined.start + 1);
    expect(total.history_reads).toBeGreaterThan(before.history_reads);
  });

  it('misses an edge that stopped for a minute, and says so', async () => {
    const three = await anotherEdge('edge-3');
    await becomes(one, ({ edges }) => edges.length === 3);
    await three.stop();
    const report = await becomes(one, ({ edges }) => edges.length === 2);
    expect(report.silent).toBe(1);
  });

  it('is asked by nobody who does not know the contract', async () => {
    const { nc } = stack.store;
    nc.publish('ts.query.delivery', 'nonsense', { reply: 'nobody' });
    nc.publish('ts.query.delivery', '{"window_ms":1}', { reply: 'nobody' });
    await nc.flush();
    expect((await reportOf(two)).edges.map(({ instance }) => instance)).toEqual(['edge-1', 'edge-2']);
  });

  it('is for admins only, over windows that the edges remember', async () => {
    expect(await problem(await one.fetch('/v1/delivery'))).toMatchObject({ status: 403, code: 'forbidden' });
    for (const window of ['2h', '9s', 'x']) {
      const response = await one.fetch(`/v1/delivery?window=${window}`, { token: admin });
      expect(await problem(response)).toMatchObject({ status: 422, code: 'invalid' });
    }
    const hour = await reportOf(one, '?window=1h');
    expect(hour).toMatchObject({ window_ms: 3_600_000, bucket_ms: 120_000 });
    expect((await reportOf(one, '?window=5m')).bucket_ms).toBe(10_000);
  });
});

describe('GET /v1/stats', () => {
  it('gives trends where it is asked for them', async () => {
    const run = await HandRun.accept(stack.store.log, { app: 'trends' });
    await run.finish();
    const stats = async (more: string) =>
      (await (await one.fetch(`/v1/stats?window=1h${more}`, { token: token({ apps: ['trends'] }) })).json()) as {
        bucket_ms?: number;
        tools: { name: string; runs: number; trend?: { runs: number }[]; failures?: object[] }[];
      };
    await until(async () => (await stats('')).tools.length === 1);
    const { bucket_ms, tools } = await stats('&buckets=20');
    expect(bucket_ms).toBe(180_000);
    expect(tools).toMatchObject([{ name: 'echo', runs: 1, trend: [{ runs: 1 }], failures: [] }]);
    expect((await stats('')).tools[0]).not.toHaveProperty('trend');
    expect((await one.fetch('/v1/stats?buckets=61')).status).toBe(422);
  });
});
