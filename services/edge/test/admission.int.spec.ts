import { once } from 'node:events';
import { SUBPROTOCOL } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket from 'ws';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestLog, token, uniqueName, until } from './harness.ts';
import { TestSocket } from './socket-client.ts';

let store: TestLog;
beforeAll(async () => {
  store = await startTestLog();
});
afterAll(() => store.stop());

interface Answer {
  readonly status: number;
  readonly retryAfter: number;
  readonly code: unknown;
  readonly type: string | undefined;
  readonly requestId: string | string[] | undefined;
}

/** What a handshake that is refused is answered; `undefined`: it was not refused. */
async function attempt(url: string, headers: Record<string, string> = {}): Promise<Answer | undefined> {
  const ws = new WebSocket(url, [SUBPROTOCOL], { headers });
  ws.on('error', () => {});
  const answered = once(ws, 'unexpected-response');
  const refused = await Promise.race([answered, once(ws, 'open').then(() => undefined)]);
  if (!refused) {
    ws.terminate();
    return undefined;
  }
  const response = refused[1] as import('node:http').IncomingMessage;
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return {
    status: response.statusCode ?? 0,
    retryAfter: Number(response.headers['retry-after']),
    code: (JSON.parse(text) as { code?: unknown }).code,
    type: response.headers['content-type'],
    requestId: response.headers['x-request-id'],
  };
}

const from = (address: string): Record<string, string> => ({ 'x-forwarded-for': address });

describe('a WebSocket that may not connect', () => {
  it('is told so before the upgrade, as a problem with a time to come back', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_MAX_CONNECTIONS: '1' });
    const socket = await TestSocket.hello(edge.wsUrl);
    const refused = await attempt(edge.wsUrl);
    expect(refused).toMatchObject({ status: 503, code: 'busy' });
    expect(refused!.retryAfter).toBeGreaterThanOrEqual(1);
    expect(refused!.type).toContain('application/problem+json');
    expect(refused!.requestId).toBeTruthy();
    const run = await HandRun.accept(store.log);
    const stream = await edge.fetch(`/v1/runs/${run.run}/events`);
    expect(stream.status).toBe(503);
    expect(Number(stream.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    socket.cut();
    await until(() => edge.edge.services.admission.size === 0);
    expect(await attempt(edge.wsUrl)).toBeUndefined();
    await edge.stop();
  });

  it('is one of too many from its address, as a trusted proxy tells it', async () => {
    const env = { TOOLSTREAM_MAX_CONNECTIONS_PER_IP: '2', TOOLSTREAM_TRUST_PROXY: 'loopback' };
    const edge = await startTestEdge(store.nats, env);
    const open = (address: string) => {
      const ws = new WebSocket(edge.wsUrl, [SUBPROTOCOL], { headers: from(address) });
      ws.on('error', () => {});
      return once(ws, 'open').then(() => ws);
    };
    const held = [await open('198.51.100.7'), await open('198.51.100.7')];
    expect(await attempt(edge.wsUrl, from('198.51.100.7'))).toMatchObject({ status: 429, code: 'rate_limited' });
    // What the client itself writes stands to the left of what the proxy adds.
    expect(await attempt(edge.wsUrl, from('203.0.113.9, 198.51.100.7'))).toMatchObject({ status: 429 });
    expect(await attempt(edge.wsUrl, from('198.51.100.8'))).toBeUndefined();
    for (const ws of held) ws.terminate();
    await until(() => edge.edge.services.admission.size === 0);
    expect(await attempt(edge.wsUrl, from('198.51.100.7'))).toBeUndefined();
    await edge.stop();
  });

  it('is not believed what it says of its address where no proxy is trusted', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_MAX_CONNECTIONS_PER_IP: '1' });
    const held = await TestSocket.hello(edge.wsUrl);
    // This machine's own addresses are not counted.
    for (let at = 0; at < 3; at++) expect(await attempt(edge.wsUrl, from('198.51.100.7'))).toBeUndefined();
    await held.close();
    await edge.stop();
  });

  it('is one of too many at once', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_CONNECTS_PER_SECOND: '2' });
    const answers = await Promise.all(Array.from({ length: 12 }, () => attempt(edge.wsUrl)));
    const refused = answers.filter((answer) => answer !== undefined);
    expect(refused.length).toBeGreaterThanOrEqual(6);
    expect(refused.length).toBeLessThan(12);
    for (const answer of refused) expect(answer).toMatchObject({ status: 503, code: 'busy' });
    await edge.stop();
  });
});

describe('a user', () => {
  it('with all the connections allowed is sent away after the greeting, to come later', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_MAX_CONNECTIONS_PER_USER: '2' });
    const run = await HandRun.accept(store.log);
    const mine = token({ sub: uniqueName('user') });
    const first = await TestSocket.hello(edge.wsUrl, { token: mine });
    const headers = { accept: 'text/event-stream' };
    const stream = await edge.fetch(`/v1/runs/${run.run}/events`, { token: mine, headers });
    expect(stream.status).toBe(200);
    const third = await TestSocket.open(edge.wsUrl);
    third.send({ type: 'hello', token: mine });
    expect(await third.closing()).toEqual({ code: 4101, reason: 'capacity' });
    expect(third.of('error')).toMatchObject([{ code: 'rate_limited' }]);
    expect(third.of('bye')[0]!.retry_ms).toBeGreaterThan(0);
    const refused = await edge.fetch(`/v1/runs/${run.run}/events`, { token: mine, headers });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toBeTruthy();
    const ticket = await edge.fetch('/v1/tickets', { method: 'POST', token: mine });
    const { ticket: issued } = (await ticket.json()) as { ticket: string };
    const byTicket = await TestSocket.open(`${edge.wsUrl}?ticket=${issued}`);
    byTicket.send({ type: 'hello' });
    expect((await byTicket.closing()).code).toBe(4101);
    const other = await TestSocket.hello(edge.wsUrl);

    await stream.body!.cancel();
    await until(async () => {
      const socket = await TestSocket.open(edge.wsUrl);
      socket.send({ type: 'hello', token: mine });
      await until(() => socket.of('welcome').length === 1 || socket.closed !== undefined);
      const welcome = socket.of('welcome').length === 1;
      socket.cut();
      return welcome;
    });
    for (const socket of [first, other]) await socket.close();
    await edge.stop();
  });
});

describe('the metric of connections', () => {
  it('counts every attempt by what became of it', async () => {
    const edge = await startTestEdge(store.nats, { TOOLSTREAM_DEV: '0', TOOLSTREAM_MAX_CONNECTIONS: '2' });
    const run = await HandRun.accept(store.log);
    await attempt(edge.wsUrl, { origin: 'https://elsewhere.example.com' });
    const unknown = await TestSocket.open(edge.wsUrl);
    unknown.send({ type: 'hello', token: 'no token' });
    await unknown.closing();
    await until(() => edge.edge.services.admission.size === 0);
    const socket = await TestSocket.hello(edge.wsUrl);
    const stream = await edge.fetch(`/v1/runs/${run.run}/events`, { headers: { accept: 'text/event-stream' } });
    await attempt(edge.wsUrl);
    const text = await (await edge.fetch('/metrics')).text();
    const count = (labels: Record<string, string>): number => {
      const line = text
        .split('\n')
        .find(
          (one) =>
            one.startsWith('toolstream_edge_connections') &&
            Object.entries(labels).every(([name, value]) => one.includes(`${name}="${value}"`)),
        );
      return Number(line?.split(' ')[1] ?? 0);
    };
    expect(count({ transport: 'ws', outcome: 'forbidden', reason: 'origin' })).toBe(1);
    expect(count({ transport: 'ws', outcome: 'unauthenticated' })).toBe(1);
    expect(count({ transport: 'ws', outcome: 'accepted' })).toBe(1);
    expect(count({ transport: 'sse', outcome: 'accepted' })).toBe(1);
    expect(count({ transport: 'ws', outcome: 'busy', reason: 'capacity' })).toBe(1);
    await stream.body!.cancel();
    await socket.close();
    await edge.stop();
  });
});
