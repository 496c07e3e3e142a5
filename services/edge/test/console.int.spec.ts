import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestEdge, startTestLog, type TestEdge, type TestLog } from './harness.ts';
import { problem } from './http-support.ts';

const SCRIPT = `console.log(${JSON.stringify('x'.repeat(2_000))});\n`;
const PAGE = `<!doctype html><title>Toolstream</title><meta property="csp-nonce" nonce="__TOOLSTREAM_CSP_NONCE__"><script type="module" src="/assets/main-1.js" nonce="__TOOLSTREAM_CSP_NONCE__"></script>`;

let store: TestLog;
let folder: string;
let edge: TestEdge;
const open = (path: string, init: RequestInit = {}) => edge.fetch(path, { token: '', ...init });

beforeAll(async () => {
  store = await startTestLog();
  folder = mkdtempSync(join(tmpdir(), 'toolstream-console-'));
  edge = await startTestEdge(store.nats, { TOOLSTREAM_CONSOLE_DIR: relative('.', join(folder, 'dist')) });
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('a console that is not built', () => {
  it('is a refusal that says what to run, and takes nothing else with it', async () => {
    const response = await open('/');
    expect(response.status).toBe(503);
    expect(response.headers.get('retry-after')).not.toBeNull();
    expect(await problem(response)).toMatchObject({
      code: 'unavailable',
      detail: expect.stringContaining('make console'),
    });
    expect((await open('/assets/main-1.js')).status).toBe(404);
    expect((await open('/healthz')).status).toBe(200);
  });
});

describe('a console that is built while the edge runs', () => {
  beforeAll(() => {
    const assets = join(folder, 'dist', 'assets');
    mkdirSync(assets, { recursive: true });
    writeFileSync(join(folder, 'dist', 'index.html'), PAGE);
    writeFileSync(join(folder, 'dist', 'secret.txt'), 'no asset');
    writeFileSync(join(assets, 'main-1.js'), SCRIPT);
    writeFileSync(join(assets, 'main-1.js.gz'), gzipSync(SCRIPT));
  });

  it.each([
    '/',
    '/runs/0-01J000000000000000000000AA',
    '/apps/app-42',
    '/tools',
    '/delivery',
    '/new',
    '/tools/',
    '/?app=a',
  ])('answers %s with its page, never from a cache', async (path) => {
    const response = await open(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(response.headers.get('cache-control')).toBe('no-cache');
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await response.text()).toContain('<title>Toolstream</title>');
  });

  it('answers no other address with it', async () => {
    for (const path of [
      '/nothing',
      '/runs',
      '/runs/a/b',
      '/apps',
      '/index.html',
      '/secret.txt',
      '/assets/../secret.txt',
    ])
      expect((await open(path)).status, path).toBe(404);
    expect((await open('/', { method: 'POST' })).status).toBe(404);
  });

  it('allows only what is its own, and style sheets that know the nonce of this very answer', async () => {
    const nonces = await Promise.all(
      [1, 2].map(async () => {
        const response = await open('/');
        const policy = response.headers.get('content-security-policy') ?? '';
        expect(policy).toContain("default-src 'self'");
        expect(policy).toContain("frame-ancestors 'none'");
        expect(policy).not.toContain('unsafe');
        const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
        const html = await response.text();
        expect(html.match(/nonce="([^"]+)"/g)).toEqual([`nonce="${nonce}"`, `nonce="${nonce}"`]);
        return nonce;
      }),
    );
    expect(new Set(nonces).size).toBe(2);
  });

  it('sends assets once and for all, compressed to whoever accepts that', async () => {
    const plain = await open('/assets/main-1.js', { headers: { 'accept-encoding': 'identity' } });
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-encoding')).toBeNull();
    expect(await plain.text()).toBe(SCRIPT);
    const packed = await open('/assets/main-1.js', { headers: { 'accept-encoding': 'gzip' } });
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(packed.headers.get('content-type')).toContain('javascript');
    expect(packed.headers.get('vary')).toMatch(/accept-encoding/i);
    expect(await packed.text()).toBe(SCRIPT);
  });
});

describe('an edge without a console', () => {
  it('says that it has none', async () => {
    const bare = await startTestEdge(store.nats);
    try {
      const response = await bare.fetch('/', { token: '' });
      expect(response.status).toBe(503);
      expect(await problem(response)).toMatchObject({ detail: expect.stringContaining('TOOLSTREAM_CONSOLE_DIR') });
    } finally {
      await bare.stop();
    }
  });
});
