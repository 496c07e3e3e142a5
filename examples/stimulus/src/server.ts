import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Client } from '@toolstream/client';
import { bundle } from './bundle.ts';
import { page, SCRIPTS } from './page.ts';
import { SAMPLE } from './sample.ts';

export interface ExampleOptions {
  /** Where the edge is, as the browser reaches it. */
  readonly toolstream: string;
  /** The application's own client, which hands turns over. */
  readonly client: Client;
  readonly app: string;
  /** A token for a page: for one app, to read and to control. */
  readonly pageToken: () => string | Promise<string>;
  readonly port?: number;
}

export interface Example {
  readonly url: string;
  close(): Promise<void>;
}

/** The application around the page, as small as it can be: what its routes do is what a Rails application's do. */
export async function startExample(options: ExampleOptions): Promise<Example> {
  const assets = await bundle();
  const server = createServer((request, response) => {
    void answer(options, assets, request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'text/plain' }).end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  { toolstream, client, app, pageToken }: ExampleOptions,
  assets: ReadonlyMap<string, Uint8Array>,
  { method, url }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(url ?? '/', 'http://example');
  const see = (script: string, message: string) =>
    void response.writeHead(303, { location: `/${script}/${encodeURIComponent(message)}` }).end();
  const asset = assets.get(pathname);
  if (asset) return void response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(asset);
  if (pathname === '/') return see('page', crypto.randomUUID());
  if (pathname === '/token') {
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    return void response.end(JSON.stringify({ token: await pageToken() }));
  }
  const [, first, message, last] =
    /^\/(page|cable|element|messages)\/([A-Za-z0-9_-]{1,64})(\/runs)?$/.exec(pathname) ?? [];
  if (message === undefined) return void response.writeHead(404).end();
  if (first === 'messages') {
    if (method !== 'POST' || !last) return void response.writeHead(404).end();
    await client.submit({ app, message_id: message, tool_calls: SAMPLE });
    return see(SCRIPTS.find((name) => name === searchParams.get('script')) ?? 'page', message);
  }
  const script = SCRIPTS.find((name) => name === first) ?? 'page';
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' });
  response.end(page({ toolstream, token: await pageToken(), message, script }));
}
