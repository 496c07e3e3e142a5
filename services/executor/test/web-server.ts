import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export type Answer = (request: Received, response: ServerResponse) => void;

/** A real HTTP server of a test, whose answers the test changes as it goes. */
export class WebServer {
  readonly received: Received[] = [];
  answer: Answer = (_, response) => response.writeHead(404).end();
  readonly #server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const { method = '', headers } = request;
      const url = new URL(request.url ?? '/', this.base);
      const received = { method, url, headers, body: Buffer.concat(pieces).toString() };
      this.received.push(received);
      this.answer(received, response);
    });
  });

  static async start(): Promise<WebServer> {
    const server = new WebServer();
    await new Promise<void>((resolve) => server.#server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  get base(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
    return (_, response) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  }

  page(html: string | Buffer, headers: Record<string, string> = {}): Answer {
    return (_, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', ...headers }).end(html);
  }

  reset(): void {
    this.received.length = 0;
    this.answer = (_, response) => response.writeHead(404).end();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
