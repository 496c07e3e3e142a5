import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { Frame } from '../src/feeds/frame.ts';
import { directWire, framingWire, type Wire, wireOf } from '../src/socket/wire.ts';
import { until } from './harness.ts';

const http = createServer();
let plain: WebSocketServer;
let compressing: WebSocketServer;
beforeAll(async () => {
  plain = new WebSocketServer({ noServer: true, perMessageDeflate: false });
  compressing = new WebSocketServer({ noServer: true, perMessageDeflate: { threshold: 0 } });
  http.on('upgrade', (request, socket, head) => {
    const server = request.url === '/compressing' ? compressing : plain;
    server.handleUpgrade(request, socket, head, (ws) => server.emit('connection', ws, request));
  });
  await new Promise<void>((done) => http.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  http.closeAllConnections();
  http.close();
});

async function pair(path: string): Promise<{ server: WebSocket; client: WebSocket; messages: string[] }> {
  const from = path === '/compressing' ? compressing : plain;
  const accepted = new Promise<WebSocket>((resolve) => from.once('connection', resolve));
  const client = new WebSocket(`ws://127.0.0.1:${(http.address() as AddressInfo).port}${path}`);
  const messages: string[] = [];
  client.on('message', (data, isBinary) => messages.push(isBinary ? 'binary' : data.toString()));
  await new Promise((resolve) => client.once('open', resolve));
  return { server: await accepted, client, messages };
}

const frame = (id: string) => Frame.of({ type: 'error', code: 'internal', message: id });
const direct = (ws: WebSocket): Wire => directWire(ws, (ws as unknown as { _socket: Socket })._socket);

describe.each([
  ['straight to the socket', '/plain', direct],
  ['through ws', '/plain', framingWire],
  ['through ws, compressed', '/compressing', framingWire],
  ['as found out', '/plain', wireOf],
  ['as found out, compressed', '/compressing', wireOf],
])('frames written %s', (_how, path, wireFor) => {
  it('arrive whole, as text and in order, between pings and before the close', async () => {
    const { server, client, messages } = await pair(path);
    const wire = wireFor(server);
    const ids = Array.from({ length: 60 }, (_, at) => `${at} ${'ü'.repeat(at % 7 === 0 ? 40_000 : at)}`);
    for (let at = 0; at < ids.length; at += 3) {
      wire.write(ids.slice(at, at + 3).map((id) => frame(id).ws));
      if (at % 9 === 0) server.ping();
    }
    wire.write([Buffer.concat([frame('last').ws, frame('one').ws])]);
    const closed = new Promise((resolve) => client.once('close', resolve));
    await until(() => messages.length === ids.length + 2);
    server.close(4201, 'drain');
    expect(await closed).toBe(4201);
    expect(messages.map((text) => (JSON.parse(text) as { message: string }).message)).toEqual([...ids, 'last', 'one']);
    wire.write([frame('too late').ws]);
  });

  it('are counted while they wait, and the end of waiting is told', async () => {
    const { server, client } = await pair(path);
    const wire = wireFor(server);
    let drained = 0;
    wire.onDrain(() => drained++);
    client.pause();
    const noise = () => Buffer.from(Array.from({ length: 60_000 }, () => 33 + Math.random() * 90)).toString('latin1');
    for (let at = 0; at < 200; at++) wire.write([frame(noise()).ws]);
    await until(() => wire.buffered > 1_000_000);
    const before = drained;
    client.resume();
    await until(() => wire.buffered === 0 && drained > before);
    client.terminate();
  });
});

it('wireOf writes straight to the socket only where nothing is negotiated', async () => {
  const one = await pair('/plain');
  const two = await pair('/compressing');
  const writes: number[] = [];
  for (const { server } of [one, two]) {
    const socket = (server as unknown as { _socket: Socket })._socket;
    const cork = socket.cork.bind(socket);
    let corks = 0;
    socket.cork = () => {
      corks++;
      cork();
    };
    wireOf(server).write([frame('x').ws]);
    await new Promise((resolve) => setTimeout(resolve, 20));
    writes.push(corks);
  }
  expect(writes[0]).toBe(0);
  expect(writes[1]).toBeGreaterThan(0);
  one.client.terminate();
  two.client.terminate();
});
