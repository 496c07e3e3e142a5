import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONSOLE_PATHS } from '../src/handlers/console.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog } from './harness.ts';
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

describe('origins', () => {
  it('of its own pages may open sockets without being configured, and no others', async () => {
    const production = await startTestEdge(store.nats, { TOOLSTREAM_DEV: '0' });
    try {
      const socket = await TestSocket.open(production.wsUrl, { origin: production.url });
      await socket.close();
      for (const origin of ['http://localhost:5173', 'http://127.0.0.1', 'https://evil.example']) {
        await expect(TestSocket.open(production.wsUrl, { origin })).rejects.toThrow('403');
      }
    } finally {
      await production.stop();
    }
  });

  it('are told by CORS exactly where sockets are allowed too', async () => {
    const at = (origin: string) => edge.fetch('/healthz', { headers: { origin } });
    expect((await at('http://localhost:5173')).headers.get('access-control-allow-origin')).toBe(
      'http://localhost:5173',
    );
    expect((await at('https://evil.example')).headers.get('access-control-allow-origin')).toBeNull();
    const preflight = await edge.fetch('/v1/runs', {
      method: 'OPTIONS',
      headers: { origin: 'http://127.0.0.1:3000', 'access-control-request-method': 'POST' },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get('access-control-allow-headers')).toContain('Idempotency-Key');
  });
});

describe('the service routes', () => {
  it('answer health, readiness and metrics to everybody', async () => {
    expect((await edge.fetch('/healthz', { token: '' })).status).toBe(200);
    expect((await edge.fetch('/readyz', { token: '' })).status).toBe(200);
    const metrics = await (await edge.fetch('/metrics', { token: '' })).text();
    expect(metrics).toContain('toolstream_edge_feeds');
  });

  it('list every route in the OpenAPI document', async () => {
    const document = (await (await edge.fetch('/openapi.json', { token: '' })).json()) as {
      paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
    };
    const registered: string[] = [];
    for (const { url, methods } of routesOf()) {
      for (const method of methods) {
        // WebSockets, and pages for people.
        if (url === '/ws' || url === '/cable' || url.startsWith('/docs')) continue;
        if (CONSOLE_PATHS.includes(url) || url.startsWith('/assets/')) continue;
        registered.push(`${method} ${url.replaceAll(/:(\w+)/g, '{$1}').replace(/\/?\*$/, '/{path}')}`);
      }
    }
    const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(documented.sort()).toEqual(registered.sort());
    expect(document.paths['/v1/runs']?.post?.parameters?.map((parameter) => parameter.name)).toContain(
      'Idempotency-Key',
    );
    expect(JSON.stringify(document)).not.toContain('$defs');
  });
});

/** What the server itself says it serves. */
function routesOf(): { url: string; methods: string[] }[] {
  const text = edge.edge.http.printRoutes({ commonPrefix: false });
  const found: { url: string; methods: string[] }[] = [];
  const path: string[] = [];
  for (const line of text.split('\n')) {
    const match = /^([│├└─\s]*)(\S.*?)(?: \(([A-Z, ]+)\))?$/.exec(line);
    if (!match || match[2] === undefined) continue;
    const depth = Math.floor(match[1]!.length / 4);
    path.length = Math.max(0, depth - 1);
    path.push(match[2]);
    const methods = (match[3] ?? '').split(', ').filter((method) => method === 'GET' || method === 'POST');
    if (methods.length > 0) found.push({ url: path.join(''), methods });
  }
  return found;
}

describe('the documentation', () => {
  it('is a page of its own origin, with everything that it loads', async () => {
    const page = await edge.fetch('/docs', { token: '' });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const html = await page.text();
    const loaded = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!);
    expect(loaded.length).toBeGreaterThan(2);
    for (const path of loaded) expect((await edge.fetch(path, { token: '' })).status, path).toBe(200);
    expect((await edge.fetch('/docs/assets/package.json', { token: '' })).status).toBe(404);
  });
});
