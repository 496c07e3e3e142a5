import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RawHttp } from './fuzz/raw-http.ts';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';

let store: TestLog;
let edge: TestEdge;
let port: number;
beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats, { TOOLSTREAM_FEED_LINGER_MS: '50' });
  port = Number(new URL(edge.url).port);
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
});

async function refused(lines: readonly string[]): Promise<[status: number, code: unknown]> {
  const http = await RawHttp.open(port);
  http.socket.write(`${lines.join('\r\n')}\r\n\r\n`);
  await http.socket.until(() => http.responses.length > 0);
  const [response] = http.responses;
  http.socket.destroy();
  expect(response?.headers['content-type']).toMatch(/^application\/problem\+json/);
  return [response!.status, (JSON.parse(response!.body) as { code: unknown }).code];
}

describe('What HTTP itself refuses', () => {
  it.each([
    ['no HTTP', ['so what']],
    ['no Host', ['GET /healthz HTTP/1.1']],
    ['two lengths', ['POST /v1/runs HTTP/1.1', 'Host: a', 'Content-Length: 1', 'Content-Length: 2']],
    ['too many headers', ['GET /healthz HTTP/1.1', 'Host: a', `X: ${'a'.repeat(40_000)}`]],
    ['an upgrade without a key', ['GET /ws HTTP/1.1', 'Host: a', 'Connection: Upgrade', 'Upgrade: websocket']],
    ['a method that takes a body without one', ['QUERY /healthz HTTP/1.1', 'Host: a']],
  ])('is a problem document with a code: %s', async (_what, lines) => {
    expect(await refused(lines)).toEqual([400, 'bad_request']);
  });

  it('is no expectation that nobody knows', async () => {
    const http = await RawHttp.open(port);
    http.socket.write('GET /healthz HTTP/1.1\r\nHost: a\r\nExpect: the-unexpected\r\n\r\n');
    await http.socket.until(() => http.responses.length > 0);
    expect(http.responses[0]?.status).toBe(200);
    http.socket.destroy();
  });
});

describe('An upgrade of what is no WebSocket address', () => {
  it.each([
    ['websocket', 'POST /v1/runs'],
    ['websocket', 'GET /healthz'],
    ['h2c', 'POST /v1/runs'],
    ['h2c', 'GET /healthz'],
  ])('to %s is not asked for: %s is answered like any other', async (protocol, request) => {
    const http = await RawHttp.open(port);
    const body = request.startsWith('POST') ? '{"app":7}' : '';
    const headers = ['Host: a', `Authorization: Bearer ${token()}`, 'Content-Type: application/json'];
    const upgrade = ['Connection: Upgrade', `Upgrade: ${protocol}`, `Content-Length: ${body.length}`];
    http.socket.write([`${request} HTTP/1.1`, ...headers, ...upgrade, '', body].join('\r\n'));
    await http.socket.until(() => http.responses.length > 0, 5_000);
    expect(http.responses[0]?.status).toBe(body === '' ? 200 : 422);
    http.socket.destroy();
  });
});

describe('Streams behind each other on one connection', () => {
  it('end with the connection, also those whose turn never came', async () => {
    const { clients, feeds, admission } = edge.edge.services;
    const run = await HandRun.accept(store.log);
    const request = [
      `GET /v1/runs/${run.run}/events HTTP/1.1`,
      'Host: a',
      'Accept: text/event-stream',
      `Authorization: Bearer ${token()}`,
    ];
    const http = await RawHttp.open(port);
    http.socket.write(`${request.join('\r\n')}\r\n\r\n`.repeat(3));
    await until(() => clients.count('stream') === 3 && clients.sum('subscriptions') === 3);
    http.socket.destroy();
    await until(() => clients.size === 0 && admission.size === 0 && feeds.size === 0);
  });
});
