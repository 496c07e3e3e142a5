import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JSONRPCMessage } from '@modelcontextprotocol/client';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { HttpTransport } from '../src/mcp/http-transport.ts';
import { eventually } from './mcp-servers.ts';

let server: Server;
let transport: HttpTransport;
let received: JSONRPCMessage[];
/** The stream of the request, open and without its response. */
let stream: ServerResponse | undefined;

beforeEach(async () => {
  received = [];
  stream = undefined;
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece) => (body += piece));
    request.on('end', () => {
      if (JSON.parse(body).id === undefined) return response.writeHead(202).end();
      stream = response.writeHead(200, { 'content-type': 'text/event-stream' });
      stream.flushHeaders();
    });
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  transport = new HttpTransport({ url: `http://127.0.0.1:${port}/`, headers: {} });
  transport.onmessage = (message) => received.push(message);
  await transport.start();
  await transport.send({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: { name: 'x' } });
  await eventually('the request is there', () => stream);
});
afterEach(async () => {
  await transport.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

it('A stream that ends without the response is answered with an error', async () => {
  stream!.end();
  await eventually('an error', () => received.length);
  expect(received).toMatchObject([{ id: 7, error: { code: -32_000 } }]);
});

it('The stream of a cancelled request ends without a word', async () => {
  await transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 7 } });
  stream!.end();
  await sleep(100);
  expect(received).toEqual([]);
});
