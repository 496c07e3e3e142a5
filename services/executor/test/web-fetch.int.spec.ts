import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { webFetch } from '../src/tools/web-fetch.ts';
import { record } from './recording.ts';
import { WebServer } from './web-server.ts';

let server: WebServer;
beforeAll(async () => {
  process.env.TOOLSTREAM_FETCH_ALLOW = '127.0.0.1';
  server = await WebServer.start();
});
beforeEach(() => server.reset());
afterAll(async () => {
  delete process.env.TOOLSTREAM_FETCH_ALLOW;
  await server.stop();
});
const at = (path: string) => `${server.base}${path}`;

const ARTICLE = `<!doctype html><html lang="en"><head><title>On queues – Site</title>
<meta name="author" content="A. Writer"><meta property="article:published_time" content="2026-01-02"></head>
<body><nav><a href="/">Home</a><a href="/about">About us</a></nav>
<article><h1>On queues</h1>${'<p>A queue is a <em>promise</em> to do the work later, and <a href="../more?x=1">more</a> of it.</p>'.repeat(12)}
<h2>Code</h2><pre><code>await next();</code></pre><img src="pic.png" alt="a picture"><script>alert(1)</script>
<p><a href="javascript:alert(2)">click</a></p></article>
<footer>Cookies and newsletters</footer></body></html>`;

describe('web_fetch', () => {
  it('gives the article as Markdown, with absolute links and nothing that runs', async () => {
    server.answer = server.page(ARTICLE);
    const { result, counts, stages, reports } = await record(webFetch, { url: at('/blog/queues') });
    const content = String(result.content);
    expect(result).toMatchObject({ url: at('/blog/queues'), status: 200, title: expect.stringContaining('On queues') });
    expect(content).toContain('A queue is a _promise_ to do the work later');
    expect(content).toContain(`[more](${at('/more?x=1')})`);
    expect(content).toContain('await next();');
    expect(content).toContain(`![a picture](${at('/blog/pic.png')})`);
    expect(content).not.toMatch(/alert|About us|newsletters/);
    expect(counts).toEqual({ api_calls: 1 });
    expect(stages).toEqual(['connecting', 'downloading', 'extracting', 'complete']);
    expect(reports.at(-1)?.details).toEqual({
      bytes_received: Buffer.byteLength(ARTICLE),
      total_chars: content.length,
    });
  });

  it('gives the whole page where there is no article, and any page raw', async () => {
    server.answer = server.page('<p>Just <b>this</b></p>');
    expect((await record(webFetch, { url: at('/') })).result.content).toBe('Just **this**');
    const raw = await record(webFetch, { url: at('/'), format: 'raw' });
    expect([raw.result.content, raw.stages.includes('extracting')]).toEqual(['<p>Just <b>this</b></p>', false]);
  });

  it('gives JSON as it is, and long ones in parts', async () => {
    const body = { list: Array.from({ length: 100 }, (_, i) => i) };
    server.answer = server.json(200, body);
    const first = (await record(webFetch, { url: at('/'), max_chars: 200 })).result;
    const rest = (await record(webFetch, { url: at('/'), offset: 200 })).result;
    expect(first.next_offset).toBe(200);
    expect(JSON.parse(`${first.content}${rest.content}`)).toEqual(body);
  });

  it('measures bytes, and a percentage only where the length is known', async () => {
    const big = `<p>${'x'.repeat(600_000)}</p>`;
    server.answer = server.page(big, { 'content-length': String(big.length) });
    const known = (await record(webFetch, { url: at('/') })).reports.filter(({ stage }) => stage === 'downloading');
    for (const { progress, details } of known) {
      expect(progress).toBe(Math.floor(((details?.bytes_received as number) / big.length) * 100));
    }
    expect(known.at(-1)?.details).toEqual({ bytes_received: big.length, total_bytes: big.length });
    server.answer = server.page(gzipSync(big), { 'content-encoding': 'gzip' });
    const unknown = (await record(webFetch, { url: at('/') })).reports.filter(({ stage }) => stage === 'downloading');
    expect(unknown.every(({ progress }) => progress === undefined)).toBe(true);
    expect(unknown.at(-1)?.details).toEqual({ bytes_received: big.length });
  });

  it('knows what a page is encoded in', async () => {
    const latin = Buffer.from('<meta charset="iso-8859-1"><p>café</p>', 'latin1');
    server.answer = (_, response) => response.writeHead(200, { 'content-type': 'text/html' }).end(latin);
    expect((await record(webFetch, { url: at('/') })).result.content).toBe('café');
  });

  it('tries again what may pass', async () => {
    const answers = [server.json(503, {}), server.page('<p>up</p>')];
    server.answer = (...args) => answers.shift()?.(...args);
    const { result, counts } = await record(webFetch, { url: at('/') });
    expect([result.content, counts]).toEqual(['up', { api_calls: 2 }]);
  });

  it.each([
    ['a page that is not there', '/404', 'http_error'],
    ['what is no text', '/image', 'not_text'],
    ['too much', '/huge', 'response_too_large'],
    ['a bomb', '/bomb', 'response_too_large'],
    ['an endless chain of redirects', '/loop', 'too_many_redirects'],
    ['a redirect inwards', '/inwards', 'url_forbidden'],
  ])('refuses %s', async (_, path, code) => {
    server.answer = ({ url }, response) => {
      if (url.pathname === '/image') response.writeHead(200, { 'content-type': 'image/png' }).end('x');
      else if (url.pathname === '/huge') response.writeHead(200).end(Buffer.alloc(9_000_000, 120));
      else if (url.pathname === '/bomb') {
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(60_000_000)));
      } else if (url.pathname === '/loop') response.writeHead(302, { location: '/loop' }).end();
      else if (url.pathname === '/inwards') {
        response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
      } else response.writeHead(404).end();
    };
    await expect(record(webFetch, { url: at(path) })).rejects.toMatchObject({ code, retryable: false });
  });

  it.each(['http://127.0.0.2:9/', 'http://10.0.0.8/', 'file:///etc/passwd', 'http://[::1]/', 'nonsense'])(
    'does not fetch %s',
    async (url) => {
      await expect(record(webFetch, { url })).rejects.toMatchObject({ code: 'url_forbidden' });
    },
  );

  it('survives pages that are nested beyond measure', async () => {
    server.answer = server.page('<div>'.repeat(100_000));
    await expect(record(webFetch, { url: at('/') })).rejects.toMatchObject({ code: 'unreadable' });
  });
});
