import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createContext, type FetchOptions, type GuardedFetch, guardedFetch, parseAllowList } from '../src/index.ts';

type Handler = (request: IncomingMessage, response: ServerResponse, body: string) => void;

let server: Server;
let port: number;
let requests: { url: string; method: string; headers: IncomingMessage['headers']; body: string }[] = [];
const routes = new Map<string, Handler>();

beforeAll(async () => {
  server = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece) => pieces.push(piece));
    request.on('end', () => {
      const body = Buffer.concat(pieces).toString();
      const { url = '', method = '', headers } = request;
      requests.push({ url, method, headers, body });
      const handler = routes.get(new URL(url, 'http://x').pathname);
      if (handler) handler(request, response, body);
      else response.writeHead(404).end('nothing here');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(resolve));
});

const opened: GuardedFetch[] = [];
/** Allows the test's server by one address; its other addresses stay forbidden. */
function fetcher(options: Partial<FetchOptions> = {}, allow = '127.0.0.1') {
  const made = guardedFetch({ allow: parseAllowList(allow), ...options });
  opened.push(made);
  return made.fetch;
}
afterEach(async () => {
  requests = [];
  routes.clear();
  for (const one of opened.splice(0)) await one.close();
});
const at = (path: string, host = '127.0.0.1') => `http://${host}:${port}${path}`;
const answer = (path: string, status: number, headers: Record<string, string>, body: string | Buffer = '') =>
  routes.set(path, (_, response) => response.writeHead(status, headers).end(body));
const redirect = (from: string, to: string, status = 302) => answer(from, status, { location: to });

describe('what may not be fetched', () => {
  it.each([
    'http://127.0.0.1:1/',
    'http://2130706433/',
    'http://0x7f.1/',
    'http://0177.0.0.1/',
    'http://[::1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.0.0.1/',
    'http://0.0.0.0/',
    'http://localhost:1/',
    'https://localhost:1/',
    'file:///etc/passwd',
    'ftp://example.com/',
    'data:text/plain,x',
    'not a url',
    'http://user:secret@example.com/',
  ])('%s', async (url) => {
    await expect(fetcher({}, '')(url)).rejects.toMatchObject({ code: 'url_forbidden', retryable: false });
  });

  it('a name that resolves to a private address, and no byte is sent there', async () => {
    answer('/', 200, {});
    const refused = fetcher({}, '')(at('/', 'localhost'));
    await expect(refused).rejects.toMatchObject({
      code: 'url_forbidden',
      message: expect.stringContaining('127.0.0.1'),
    });
    expect(requests).toEqual([]);
  });

  it.each([301, 302, 303, 307, 308])('what a redirect (%i) leads to', async (status) => {
    redirect('/go', `http://127.0.0.2:${port}/secret`, status);
    redirect('/name', `http://localhost:${port}/secret`, status);
    redirect('/file', 'file:///etc/passwd', status);
    answer('/secret', 200, {}, 'secret');
    // Only this address is allowed: neither its neighbour nor the name.
    const fetch = fetcher({}, '127.0.0.1');
    for (const path of ['/go', '/file']) {
      await expect(fetch(at(path))).rejects.toMatchObject({ code: 'url_forbidden' });
    }
    expect(requests.map(({ url }) => url)).not.toContain('/secret');
  });

  it('does not put secrets into its message', async () => {
    const refused = fetcher({}, '')('http://10.0.0.1/path?token=hunter2#x');
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('hunter2') });
  });
});

describe('what an operator allows', () => {
  it('a name, with its port', async () => {
    answer('/', 200, {}, 'hi');
    const response = await fetcher({}, `localhost:${port}`)(at('/', 'localhost'));
    expect(await response.text()).toBe('hi');
    await expect(fetcher({}, `localhost:${port}`)('http://localhost:1/')).rejects.toMatchObject({
      code: 'url_forbidden',
    });
  });
});

describe('redirects', () => {
  it('are followed, and the response says where it is from', async () => {
    redirect('/a', '/b');
    redirect('/b', 'c?x=1');
    answer('/c', 200, { 'content-type': 'text/plain' }, 'there');
    const response = await fetcher()(at('/a'));
    expect([await response.text(), response.url, response.redirected]).toEqual(['there', at('/c?x=1'), true]);
  });

  it('five at most', async () => {
    for (let i = 0; i < 7; i++) redirect(`/${i}`, `/${i + 1}`);
    answer('/7', 200, {});
    await expect(fetcher()(at('/1'))).rejects.toMatchObject({ code: 'too_many_redirects' });
    expect((await fetcher()(at('/2'))).status).toBe(200);
    redirect('/loop', '/loop');
    await expect(fetcher()(at('/loop'))).rejects.toMatchObject({ code: 'too_many_redirects' });
  });

  it('keep method and body where HTTP says so, and else become a GET', async () => {
    answer('/end', 200, {});
    redirect('/307', '/end', 307);
    redirect('/303', '/end', 303);
    await fetcher()(at('/307'), { method: 'POST', body: 'data' });
    await fetcher()(at('/303'), { method: 'PUT', body: 'data', headers: { 'content-type': 'a/b' } });
    const ends = requests.filter(({ url }) => url === '/end');
    expect(ends.map(({ method, body }) => [method, body])).toEqual([
      ['POST', 'data'],
      ['GET', ''],
    ]);
    expect(ends[1]?.headers['content-type']).toBeUndefined();
  });

  it('take no credentials to another origin', async () => {
    answer('/end', 200, {});
    redirect('/away', at('/end', '127.0.0.2'));
    redirect('/here', '/end');
    const headers = { authorization: 'Bearer x', cookie: 'a=b', 'x-other': 'kept' };
    const fetch = fetcher({}, '127.0.0.0/8');
    await fetch(at('/here'), { headers });
    await fetch(at('/away'), { headers });
    const [here, away] = requests.filter(({ url }) => url === '/end');
    expect(here?.headers).toMatchObject(headers);
    expect(away?.headers).toMatchObject({ 'x-other': 'kept' });
    expect(away?.headers.authorization ?? away?.headers.cookie).toBeUndefined();
  });

  it('can be shown, or refused', async () => {
    redirect('/a', '/b');
    const shown = await fetcher()(at('/a'), { redirect: 'manual' });
    expect([shown.status, shown.headers.get('location')]).toEqual([302, '/b']);
    await expect(fetcher()(at('/a'), { redirect: 'error' })).rejects.toMatchObject({ code: 'bad_response' });
  });
});

describe('sizes', () => {
  const limit = { maxResponseBytes: 100_000 };
  const tooLarge = { code: 'response_too_large', retryable: false };

  it.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ] as const)('%s is undone, and counted as what it unfolds to', async (coding, compress) => {
    answer('/small', 200, { 'content-encoding': coding }, compress('hello '.repeat(1000)));
    answer('/bomb', 200, { 'content-encoding': coding }, compress(Buffer.alloc(20_000_000)));
    const small = await fetcher(limit)(at('/small'));
    expect(small.headers.get('content-encoding')).toBeNull();
    expect(await small.text()).toBe('hello '.repeat(1000));
    const bomb = await fetcher(limit)(at('/bomb'));
    let seen = 0;
    const reading = (async () => {
      for await (const piece of bomb.body ?? []) seen += piece.byteLength;
    })();
    await expect(reading).rejects.toMatchObject(tooLarge);
    expect(seen).toBeLessThanOrEqual(limit.maxResponseBytes);
  });

  it('a bomb within a bomb is refused', async () => {
    answer('/', 200, { 'content-encoding': 'gzip, gzip' }, gzipSync(gzipSync(Buffer.alloc(1_000_000))));
    await expect(fetcher(limit)(at('/'))).rejects.toMatchObject({ code: 'bad_response' });
  });

  it('a compressed body that never unfolds to anything is bounded too', async () => {
    const nothing = gzipSync('');
    routes.set('/', (_, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' });
      const more = () => {
        while (!response.destroyed && response.write(Buffer.concat(Array(500).fill(nothing))));
      };
      response.on('drain', more);
      more();
    });
    const response = await fetcher(limit)(at('/'));
    await expect(response.text()).rejects.toMatchObject(tooLarge);
  });

  it('too long a content-length is refused before the body', async () => {
    answer('/', 200, { 'content-length': '200000' }, Buffer.alloc(200_000));
    await expect(fetcher(limit)(at('/'))).rejects.toMatchObject(tooLarge);
  });

  it('an endless body stops at the limit', async () => {
    routes.set('/', (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(10_000)));
      };
      response.on('drain', more);
      more();
    });
    const response = await fetcher(limit)(at('/'));
    await expect(response.arrayBuffer()).rejects.toMatchObject(tooLarge);
  });

  it('a body that is not what its coding says fails', async () => {
    answer('/', 200, { 'content-encoding': 'gzip' }, 'plain');
    const response = await fetcher()(at('/'));
    await expect(response.text()).rejects.toMatchObject({ code: 'fetch_failed' });
  });

  it('a request body is bounded', async () => {
    const sent = fetcher({ maxRequestBytes: 10 })(at('/'), { method: 'POST', body: 'x'.repeat(11) });
    await expect(sent).rejects.toMatchObject({ code: 'request_too_large' });
  });
});

describe('times', () => {
  const never: Handler = () => {};
  const stalls: Handler = (_, response) => void response.writeHead(200).write('begun');

  it('a server that does not answer', async () => {
    routes.set('/', never);
    const started = performance.now();
    await expect(fetcher({ headersTimeoutMs: 300 })(at('/'))).rejects.toMatchObject({
      code: 'fetch_timeout',
      retryable: true,
    });
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it('a body that stalls', async () => {
    routes.set('/', stalls);
    const response = await fetcher({ idleTimeoutMs: 300 })(at('/'));
    await expect(response.text()).rejects.toMatchObject({ code: 'fetch_timeout' });
  });

  it('a body that drips for ever', async () => {
    routes.set('/', (_, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 50);
      response.on('close', () => clearInterval(drip));
    });
    const response = await fetcher({ totalTimeoutMs: 500 })(at('/'));
    await expect(response.text()).rejects.toMatchObject({ code: 'fetch_timeout' });
  });

  it('a port where nobody listens', async () => {
    await expect(fetcher()('http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'fetch_failed', retryable: true });
  });
});

describe('as the platform’s fetch', () => {
  it('sends what a Request, a form or JSON says', async () => {
    answer('/', 201, { 'set-cookie': 'a=b' }, '{"ok":true}');
    const form = new FormData();
    form.set('field', 'value');
    form.set('file', new Blob(['content']), 'a.txt');
    const response = await fetcher()(new Request(at('/'), { method: 'POST', body: form }));
    expect([response.status, response.ok, await response.json()]).toEqual([201, true, { ok: true }]);
    expect(response.headers.getSetCookie()).toEqual(['a=b']);
    expect(requests[0]?.headers['content-type']).toMatch(/^multipart\/form-data; boundary=/);
    expect(requests[0]?.body).toContain('name="file"; filename="a.txt"');
    await fetcher()(at('/'), { method: 'POST', body: JSON.stringify({ a: 1 }) });
    expect(requests[1]?.body).toBe('{"a":1}');
  });

  it('answers HEAD, 204 and errors without fuss', async () => {
    answer('/none', 204, {});
    answer('/bad', 500, {}, 'oh');
    expect((await fetcher()(at('/none'))).body).toBeNull();
    expect((await fetcher()(at('/none'), { method: 'HEAD' })).status).toBe(204);
    const bad = await fetcher()(at('/bad'));
    expect([bad.status, bad.ok, await bad.text()]).toEqual([500, false, 'oh']);
  });

  it('ends with its signal, and says the signal’s reason', async () => {
    routes.set('/slow', () => {});
    routes.set('/body', (_, response) => void response.writeHead(200).write('x'));
    const reason = new Error('enough');
    for (const path of ['/slow', '/body']) {
      const controller = new AbortController();
      setTimeout(() => controller.abort(reason), 100);
      const read = async () => (await fetcher()(at(path), { signal: controller.signal })).text();
      await expect(read()).rejects.toBe(reason);
    }
    await expect(fetcher()(at('/slow'), { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('closes the connection of a body that nobody reads on', async () => {
    const closed = new Promise<void>((resolve) =>
      routes.set('/', (_, response) => {
        response.on('close', resolve);
        response.writeHead(200).write('x');
      }),
    );
    const response = await fetcher()(at('/'));
    await response.body?.cancel();
    await closed;
  });
});

it('a context’s fetch is guarded, and every call of it counted', async () => {
  let calls = 0;
  const unused = async () => undefined as never;
  const store = { list: unused, head: unused, read: unused, write: unused, delete: unused, rename: unused };
  const context = createContext(
    { app: 'a', run: 'r', index: 0, call_id: 'c', tool: 't', attempt: 1 },
    {
      progress: async () => {},
      output: async () => {},
      checkpoint: async () => {},
      count: ({ api_calls = 0 }) => {
        calls += api_calls;
      },
      log: () => {},
      workspace: store,
      artifacts: { put: unused, get: unused },
    },
    new AbortController().signal,
  );
  await expect(context.fetch(at('/'))).rejects.toMatchObject({ code: 'url_forbidden' });
  await expect(context.fetch('http://169.254.169.254/')).rejects.toMatchObject({ code: 'url_forbidden' });
  expect([calls, requests]).toEqual([2, []]);
});
