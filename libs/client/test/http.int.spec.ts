import type { ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { RUN } from './history.ts';
import { useLocalEdge } from './watched-edge.ts';

const world = useLocalEdge();

function reply(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
}

const problem = (code: string, detail: string) => ({ type: 'about:blank', title: code, code, detail });

/** Answers each request with the next of these; the last one repeats. */
function script(...answers: ((response: ServerResponse) => void)[]): void {
  world.edge.answer = (_, __, response) => (answers.length > 1 ? answers.shift()! : answers[0]!)(response);
}

describe('requests', () => {
  it('carry the token, the query and the body', async () => {
    script((response) => reply(response, 200, { runs: [] }));
    const client = world.connect();
    await client.list({ app: 'app-1', status: ['running', 'paused'], limit: 5 });
    await client.submit({ app: 'app-1', message_id: 7, tool_calls: [{ id: 'a', name: 'os-write', arguments: {} }] });
    const [list, submit] = world.edge.requests;
    expect(list).toMatchObject({ method: 'GET', url: '/v1/runs?app=app-1&limit=5&status=running%2Cpaused' });
    expect(list?.headers.authorization).toBe('Bearer a-token');
    expect(JSON.parse(submit!.body)).toEqual({
      app: 'app-1',
      message_id: 7,
      tool_calls: [{ id: 'a', name: 'os-write', arguments: {} }],
    });
  });

  it('go to the routes of the interface', async () => {
    script((response) => reply(response, 200, {}));
    const client = world.connect();
    await client.get(RUN, { minCursor: 'e1.0:5' });
    await client.results(RUN, 'anthropic');
    await client.tools();
    await client.modelTools('anthropic');
    await client.stats('1h');
    await client.stats('1h', { buckets: 20 });
    await client.delivery('15m');
    await client.files('app-1', { prefix: 'src/' });
    await client.control(RUN, 'pause', { reason: 'lunch' });
    await client.control(RUN, 'approve_tool', { index: 3, arguments: { path: 'x' } });
    await client.rerun(RUN, { from: 2 });
    await client.ticket();
    await client.deadLetters({ app: 'app-1', limit: 5, before: '9' });
    await client.deadLetter(`${RUN}_0_1`);
    await client.redrive(`${RUN}_0_1`, { reason: 'fixed' });
    expect(world.edge.requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      `GET /v1/runs/${RUN}?min_cursor=e1.0%3A5`,
      `GET /v1/runs/${RUN}/results?format=anthropic`,
      'GET /v1/tools',
      'GET /v1/tools?format=anthropic',
      'GET /v1/stats?window=1h',
      'GET /v1/stats?window=1h&buckets=20',
      'GET /v1/delivery?window=15m',
      'GET /v1/apps/app-1/files?prefix=src%2F',
      `POST /v1/runs/${RUN}/pause`,
      `POST /v1/runs/${RUN}/tools/3/approve`,
      `POST /v1/runs/${RUN}/rerun`,
      'POST /v1/tickets',
      'GET /v1/dlq?app=app-1&limit=5&before=9',
      `GET /v1/dlq/${RUN}_0_1`,
      `POST /v1/dlq/${RUN}_0_1/redrive`,
    ]);
    expect(JSON.parse(world.edge.requests.at(-1)!.body)).toEqual({ reason: 'fixed' });
    expect(world.edge.requests.slice(8, 11).map(({ body }) => JSON.parse(body))).toEqual([
      { reason: 'lunch' },
      { arguments: { path: 'x' } },
      { from: 2 },
    ]);
  });

  it('read files as the bytes they are', async () => {
    const bytes = Uint8Array.from([0, 255, 10, 13]);
    world.edge.answer = (_, __, response) => response.end(bytes);
    expect(await world.connect().file('app-1', 'src/a b#c.bin')).toEqual(bytes);
    expect(world.edge.requests[0]?.url).toBe('/v1/apps/app-1/files/src/a%20b%23c.bin');
    await world.connect().file('app-1', 'a', { version: 't1.run.0.1.x-y' });
    expect(world.edge.requests[1]?.url).toBe('/v1/apps/app-1/files/a?version=t1.run.0.1.x-y');
  });

  it('read what was done to a path, and what a run did to files', async () => {
    world.edge.answer = (_, __, response) => reply(response, 200, {});
    const client = world.connect();
    await client.fileVersions('app-1', 'src/a b.ts');
    await client.runFiles(RUN);
    expect(world.edge.requests.map(({ url }) => url)).toEqual([
      '/v1/apps/app-1/versions?path=src%2Fa+b.ts',
      `/v1/runs/${RUN}/files`,
    ]);
  });
});

describe('a refusal', () => {
  it('is an ApiError with the code, the status and what the service said', async () => {
    script((response) =>
      reply(response, 422, problem('dependency_cycle', 'These calls wait for each other: a → b → a.')),
    );
    await expect(world.connect().submit({ app: 'app-1', tool_calls: [] })).rejects.toMatchObject({
      name: 'ApiError',
      code: 'dependency_cycle',
      status: 422,
      message: 'These calls wait for each other: a → b → a.',
    });
    expect(world.edge.requests).toHaveLength(1);
  });

  it('names the fields that it concerns, where the service does', async () => {
    const fields = [{ path: 'tool_calls[1].id', message: 'Too big' }];
    script((response) => reply(response, 422, { ...problem('invalid', 'tool_calls[1].id: Too big'), fields }));
    await expect(world.connect().submit({ app: 'app-1', tool_calls: [] })).rejects.toMatchObject({ fields });
    script((response) => reply(response, 404, problem('not_found', 'There is no such run.')));
    await expect(world.connect().get(RUN)).rejects.toMatchObject({ fields: [] });
  });

  it('that a proxy wrote has the code of its status', async () => {
    script((response) => response.writeHead(403).end('<html>no</html>'));
    await expect(world.connect().tools()).rejects.toMatchObject({ code: 'http_403', status: 403 });
  });
});

describe('a repetition', () => {
  it('waits as the service says and keeps its idempotency key', async () => {
    script(
      (response) => reply(response, 503, problem('unavailable', 'Not now.'), { 'retry-after': '1' }),
      (response) => reply(response, 201, { run_id: RUN }),
    );
    const begun = Date.now();
    expect(await world.connect().submit({ app: 'app-1', tool_calls: [] })).toEqual({ run_id: RUN });
    expect(Date.now() - begun).toBeGreaterThanOrEqual(995);
    const keys = world.edge.requests.map(({ headers }) => headers['idempotency-key']);
    expect(keys[0]).toMatch(/^[0-9a-f]{32}$/);
    expect(keys[1]).toBe(keys[0]);
  });

  it('follows a connection that broke without an answer', async () => {
    script(
      (response) => response.destroy(),
      (response) => reply(response, 200, { tools: [] }),
    );
    expect(await world.connect().tools()).toEqual({ tools: [] });
  });

  it('with a fresh token follows an expired one', async () => {
    script(
      (response) => reply(response, 401, problem('token_expired', 'The token has expired.')),
      (response) => reply(response, 200, { tools: [] }),
    );
    let asked = 0;
    await world.connect({ token: async () => `token-${++asked}` }).tools();
    expect(world.edge.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  it('ends, and the last answer counts', async () => {
    script((response) => reply(response, 503, problem('busy', 'Try again.'), { 'retry-after': '60' }));
    await expect(world.connect().tools()).rejects.toMatchObject({ code: 'busy', retryAfterMs: 60_000 });
  });
});

describe('a service that is not there', () => {
  it('is unreachable, with the address and the reason', async () => {
    const client = world.connect({ url: 'http://127.0.0.1:9' });
    const signal = AbortSignal.timeout(10_000);
    await expect(client.tools({ signal })).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('http://127.0.0.1:9'),
    });
  });

  it('is not waited for longer than asked', async () => {
    world.edge.answer = () => {};
    const client = world.connect();
    const late = client.list({}, { timeoutMs: 50, signal: AbortSignal.timeout(5_000) });
    await expect(late).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining('0.05 s') });
  });

  it('can be given up by the caller, and by close()', async () => {
    world.edge.answer = () => {};
    const client = world.connect();
    const controller = new AbortController();
    const one = client.tools({ signal: controller.signal });
    const other = client.tools();
    controller.abort();
    await expect(one).rejects.toMatchObject({ name: 'AbortError' });
    client.close();
    await expect(other).rejects.toMatchObject({ code: 'client_closed' });
  });
});
