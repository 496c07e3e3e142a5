import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
let edge: TestEdge;

beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats);
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
});

async function counted(name: string, labels: Record<string, string> = {}): Promise<number> {
  const text = await (await edge.fetch('/metrics')).text();
  const line = text
    .split('\n')
    .find(
      (each) =>
        each.startsWith(name) && Object.entries(labels).every(([key, value]) => each.includes(`${key}="${value}"`)),
    );
  return line === undefined ? 0 : Number(line.slice(line.lastIndexOf(' ') + 1));
}

describe('the indicators of delivery', () => {
  it('tell who comes back from who comes, and how much history that cost', async () => {
    const run = await HandRun.accept(store.log);
    await run.finish();
    const cold = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run }] });
    const { cursor } = await cold.next('end');
    await cold.close();
    const whole = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor: 'start' }] });
    await whole.next('end');
    await whole.close();
    const again = await TestSocket.hello(edge.wsUrl, { subscribe: [{ run: run.run, cursor }] });
    await again.next('end');
    await again.close();
    for (const beginning of ['snapshot', 'start', 'cursor'])
      expect(await counted('toolstream_edge_joins_total', { beginning }), beginning).toBe(1);
    expect(await counted('toolstream_edge_history_reads_total')).toBe(1);
    expect(await counted('toolstream_edge_snapshots_total', { reason: 'cold' })).toBe(1);
    expect(await counted('toolstream_edge_gaps_total', { outcome: 'snapshot' })).toBe(0);
  });

  it('tell attempts to connect by what became of them', async () => {
    const accepted = () => counted('toolstream_edge_connections_total', { outcome: 'accepted' });
    const before = await accepted();
    const good = await TestSocket.hello(edge.wsUrl, { token: token() });
    expect(await accepted()).toBe(before + 1);
    expect(await counted('toolstream_edge_memory_per_connection_bytes')).toBeGreaterThan(0);
    await good.close();
    const refused = await new Promise<number | undefined>((resolve) => {
      const socket = new WebSocket(edge.wsUrl, ['toolstream.v1.json'], { origin: 'https://elsewhere.example' });
      socket.on('error', () => {});
      socket.on('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
    expect(refused).toBe(403);
    expect(await counted('toolstream_edge_connections_total', { outcome: 'forbidden' })).toBe(1);
  });
});
