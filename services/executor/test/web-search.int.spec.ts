import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Provider, ProviderFault } from '../src/tools/providers/provider.ts';
import { toolSettings } from '../src/tools/settings.ts';
import { searchEngine } from '../src/tools/web/search-providers.ts';
import { webSearch } from '../src/tools/web-search.ts';
import { Recording, record } from './recording.ts';
import { WebServer } from './web-server.ts';

let server: WebServer;
beforeAll(() => {
  process.env.TOOLSTREAM_FETCH_ALLOW = '127.0.0.1';
});
/** A server of its own for every test: breakers are kept by address. */
beforeEach(async () => {
  server = await WebServer.start();
  for (const name of ['TOOLSTREAM_SEARCH_PROVIDER', 'TOOLSTREAM_SEARCH_URL', 'BRAVE_API_KEY', 'TAVILY_API_KEY']) {
    delete process.env[name];
  }
  return () => server.stop();
});
afterAll(() => {
  delete process.env.TOOLSTREAM_FETCH_ALLOW;
});

const use = (provider: string, key: Record<string, string> = {}) =>
  Object.assign(process.env, { TOOLSTREAM_SEARCH_PROVIDER: provider, TOOLSTREAM_SEARCH_URL: server.base, ...key });

/** As SearXNG's JSON format is documented, cut to what matters and a few fields more. */
const SEARXNG = {
  query: 'nats',
  number_of_results: 0,
  results: [
    {
      template: 'default.html',
      url: 'https://nats.io/',
      title: 'NATS.io – Cloud Native',
      content: 'Connective &amp; adaptive edge',
      publishedDate: null,
      thumbnail: '',
      engine: 'duckduckgo',
      parsed_url: ['https', 'nats.io', '/', '', '', ''],
      engines: ['duckduckgo', 'brave'],
      positions: [1, 1],
      score: 4,
      category: 'general',
    },
    { url: 'https://docs.nats.io/', title: 'Docs', content: '', engine: 'brave', score: 1, category: 'general' },
    { url: 'javascript:alert(1)', title: 'Bad', content: '', engine: 'x', score: 1, category: 'general' },
  ],
  answers: [{ url: null, engine: 'ddg', template: 'answer/legacy.html', answer: 'A messaging system' }],
  corrections: [],
  infoboxes: [],
  suggestions: ['nats jetstream'],
  unresponsive_engines: [],
};
const BRAVE = {
  type: 'search',
  query: { original: 'nats', more_results_available: true },
  web: {
    type: 'search',
    results: [
      {
        title: 'NATS',
        url: 'https://nats.io/',
        is_source_local: false,
        description: 'A <strong>messaging</strong> system that&#x27;s small',
        page_age: '2025-11-02T10:00:00',
        profile: {
          name: 'Nats',
          url: 'https://nats.io/',
          long_name: 'nats.io',
          img: 'https://imgs.search.brave.com/x',
        },
        language: 'en',
        family_friendly: true,
        type: 'search_result',
        subtype: 'generic',
        meta_url: { scheme: 'https', netloc: 'nats.io', hostname: 'nats.io', favicon: '', path: '' },
        extra_snippets: ['one'],
      },
    ],
    family_friendly: true,
  },
};
const TAVILY = {
  query: 'nats',
  follow_up_questions: null,
  answer: 'A messaging system.',
  images: [],
  results: [
    { title: 'NATS', url: 'https://nats.io/', content: 'Messaging', score: 0.9, raw_content: null, favicon: 'x' },
  ],
  response_time: 1.1,
  request_id: '123e4567-e89b-12d3-a456-426614174111',
};

describe('providers', () => {
  it('SearXNG', async () => {
    use('searxng');
    server.answer = server.json(200, SEARXNG);
    const { result, counts, stages, reports } = await record(webSearch, { query: 'nats' });
    expect(server.received[0]?.url.pathname).toBe('/search');
    expect(Object.fromEntries(server.received[0]?.url.searchParams ?? [])).toEqual({ q: 'nats', format: 'json' });
    expect(result).toEqual({
      query: 'nats',
      provider: 'SearXNG',
      results: [
        { title: 'NATS.io – Cloud Native', url: 'https://nats.io/', snippet: 'Connective & adaptive edge' },
        { title: 'Docs', url: 'https://docs.nats.io/', snippet: '' },
      ],
      answer: 'A messaging system',
    });
    expect(counts).toEqual({ api_calls: 1 });
    expect(stages).toEqual(['preparing', 'searching', 'processing', 'complete']);
    expect(reports.filter(({ progress }) => progress !== undefined).map(({ stage }) => stage)).toEqual(['complete']);
  });

  it('Brave', async () => {
    use('brave', { BRAVE_API_KEY: 'key-1' });
    server.answer = server.json(200, BRAVE);
    const { result } = await record(webSearch, { query: 'nats', max_results: 5 });
    const [request] = server.received;
    expect(request?.url.pathname).toBe('/res/v1/web/search');
    expect(Object.fromEntries(request?.url.searchParams ?? [])).toEqual({ q: 'nats', count: '5' });
    expect(request?.headers['x-subscription-token']).toBe('key-1');
    expect(result.results).toEqual([
      {
        title: 'NATS',
        url: 'https://nats.io/',
        snippet: "A messaging system that's small",
        published: '2025-11-02T10:00:00',
      },
    ]);
  });

  it('Tavily', async () => {
    use('tavily', { TAVILY_API_KEY: 'tvly-1' });
    server.answer = server.json(200, TAVILY);
    const { result } = await record(webSearch, { query: 'nats', max_results: 3 });
    const [request] = server.received;
    expect([request?.method, request?.url.pathname, request?.headers.authorization]).toEqual([
      'POST',
      '/search',
      'Bearer tvly-1',
    ]);
    expect(JSON.parse(request?.body ?? '')).toMatchObject({ query: 'nats', max_results: 3 });
    expect(result).toMatchObject({ answer: 'A messaging system.', results: [{ title: 'NATS', snippet: 'Messaging' }] });
  });

  it('an answer without results is an answer', async () => {
    use('brave', { BRAVE_API_KEY: 'k' });
    server.answer = server.json(200, { type: 'search', query: { original: 'x' } });
    expect((await record(webSearch, { query: 'x' })).result.results).toEqual([]);
  });
});

describe('what goes wrong', () => {
  it('nothing is configured: the failure says what to set', async () => {
    const refused = { code: 'not_configured', retryable: false };
    await expect(record(webSearch, { query: 'x' })).rejects.toMatchObject({
      ...refused,
      message: expect.stringContaining('TOOLSTREAM_SEARCH_PROVIDER'),
    });
    for (const [provider, names] of [
      ['brave', 'BRAVE_API_KEY'],
      ['tavily', 'TAVILY_API_KEY'],
      ['searxng', 'TOOLSTREAM_SEARCH_URL'],
    ] as const) {
      const made = () => searchEngine(toolSettings({ TOOLSTREAM_SEARCH_PROVIDER: provider }));
      expect(made).toThrow(names);
    }
  });

  it('429 and 500 are tried again, each counted as a call, and shown', async () => {
    use('brave', { BRAVE_API_KEY: 'k' });
    const answers = [
      server.json(429, { type: 'ErrorResponse', error: { code: 'RATE_LIMITED', detail: 'Slow down', status: 429 } }),
      server.json(500, {}),
      server.json(200, BRAVE),
    ];
    server.answer = (...args) => answers.shift()?.(...args);
    const { counts, reports } = await record(webSearch, { query: 'x' });
    expect(counts).toEqual({ api_calls: 3 });
    const shown = reports.filter(({ message }) => message?.includes('Trying again'));
    expect(shown.map(({ message }) => message?.slice(0, 24))).toEqual([
      'Brave Search answered 42',
      'Brave Search answered 50',
    ]);
    expect(reports.at(-1)?.details).toMatchObject({ api_calls_made: 3, results_found: 1 });
  });

  it('Retry-After is kept to', async () => {
    use('tavily', { TAVILY_API_KEY: 'k' });
    const answers = [
      server.json(429, { detail: { error: 'Too many requests' } }, { 'retry-after': '1' }),
      server.json(200, TAVILY),
    ];
    server.answer = (...args) => answers.shift()?.(...args);
    const started = performance.now();
    await record(webSearch, { query: 'x' });
    expect(performance.now() - started).toBeGreaterThan(950);
  });

  it.each([
    ['a bad key', 401, { detail: { error: 'Unauthorized: missing or invalid API key.' } }, 'provider_refused', 1],
    ['a bad request', 400, { detail: { error: 'Query is too long.' } }, 'provider_refused', 1],
    ['a used-up plan', 432, { detail: { error: 'This request exceeds your plan.' } }, 'provider_refused', 1],
    ['a breakdown', 503, 'not json', 'provider_unavailable', 3],
    ['another format', 200, { hello: 1 }, 'provider_answer', 1],
  ])('%s', async (_, status, body, code, calls) => {
    use('tavily', { TAVILY_API_KEY: 'k' });
    server.answer = server.json(status, body);
    const refused = record(webSearch, { query: 'x' });
    await expect(refused).rejects.toMatchObject({ code, retryable: calls > 1 });
    expect(server.received).toHaveLength(calls);
    const words = typeof body === 'object' && 'detail' in body ? body.detail.error : '';
    await expect(refused).rejects.toMatchObject({ message: expect.stringContaining(words) });
  });

  it('SearXNG without its JSON format says how to turn it on', async () => {
    use('searxng');
    server.answer = (_, response) => response.writeHead(403).end('Forbidden');
    await expect(record(webSearch, { query: 'x' })).rejects.toMatchObject({
      code: 'provider_refused',
      message: expect.stringContaining('search.formats'),
    });
  });

  it('a page in place of JSON is a breakdown', async () => {
    use('searxng');
    server.answer = server.page('<html>Bad gateway</html>');
    await expect(record(webSearch, { query: 'x' })).rejects.toMatchObject({ code: 'provider_unavailable' });
  });

  it('a provider that fails many times in a row is left alone', async () => {
    use('brave', { BRAVE_API_KEY: 'k' });
    server.answer = server.json(500, {});
    for (let i = 0; i < 2; i++) await expect(record(webSearch, { query: 'x' })).rejects.toThrow();
    const made = server.received.length;
    expect(made).toBe(5);
    const recording = new Recording('web_search');
    await expect(webSearch.invoke(recording.context, { query: 'x' })).rejects.toMatchObject({
      code: 'provider_unavailable',
      message: expect.stringContaining('left alone'),
      retryable: true,
    });
    expect([server.received.length, recording.counts.api_calls]).toEqual([made, undefined]);
  });
});

describe('a provider', () => {
  const context = () => new Recording('t');
  const hang = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

  it('ends requests that take too long, and all of them at the deadline', async () => {
    const provider = new Provider('Slow', {
      attemptTimeoutMs: 100,
      deadlineMs: 350,
      initialDelayMs: 1,
      maxAttempts: 99,
      failuresToOpen: 99,
    });
    const started = performance.now();
    await expect(provider.call(context().context, hang)).rejects.toMatchObject({ code: 'provider_timeout' });
    expect(performance.now() - started).toBeLessThan(2000);
  });

  it('is tried again when its time is over, and then closed', async () => {
    const provider = new Provider('Flaky', { failuresToOpen: 2, openMs: 150, maxAttempts: 1 });
    const down = async () => Promise.reject(new ProviderFault('provider_unavailable', 'down', true));
    let calls = 0;
    const call = (work: () => Promise<unknown>) =>
      provider.call(context().context, () => {
        calls += 1;
        return work();
      });
    for (let i = 0; i < 4; i++) await expect(call(down)).rejects.toThrow();
    expect(calls).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await expect(call(async () => 'up')).resolves.toBe('up');
    await expect(call(async () => 'up')).resolves.toBe('up');
    expect(calls).toBe(4);
  });

  it('is not blamed for what it refuses', async () => {
    const provider = new Provider('Strict', { failuresToOpen: 2 });
    const refuse = async () => Promise.reject(new ProviderFault('provider_refused', 'no', false));
    for (let i = 0; i < 5; i++) {
      await expect(provider.call(context().context, refuse)).rejects.toMatchObject({ code: 'provider_refused' });
    }
  });

  it('stops at once when the call is stopped, waiting or not', async () => {
    const reason = new Error('cancelled');
    const down = async () => Promise.reject(new ProviderFault('provider_unavailable', 'down', true, 10_000));
    for (const work of [hang, down]) {
      const { controller, context: ctx } = context();
      setTimeout(() => controller.abort(reason), 50);
      const started = performance.now();
      await expect(new Provider('P').call(ctx, work)).rejects.toBe(reason);
      expect(performance.now() - started).toBeLessThan(2000);
    }
  });
});
