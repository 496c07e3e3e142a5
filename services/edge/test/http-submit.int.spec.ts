import { type SubmitRun, submitRun } from '@toolstream/proto-events';
import type { CommandService } from '@toolstream/service-kit';
import { openArtifacts } from '@toolstream/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog } from './harness.ts';
import { native, type PostInit, postTo, problem } from './http-support.ts';
import { type Asked, standInOrchestrator } from './orchestrator-stand-in.ts';

let store: TestLog;
let edge: TestEdge;
let orchestrator: CommandService;
const asked: Asked[] = [];

const accepted = { run_id: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV', cursor: 'e.0:1', status: 'accepted', tools: [] };

beforeAll(async () => {
  store = await startTestLog();
  orchestrator = await standInOrchestrator(store.nc, (request) => {
    asked.push(request);
    if (!submitRun.safeParse(request.body).success) throw new Error('not a submission');
    return { ok: true, replayed: request.body.idempotency_key === 'again', run: accepted };
  });
  edge = await startTestEdge(store.nats);
});
afterAll(async () => {
  await edge.stop();
  await orchestrator.stop();
  await store.stop();
});

const post = (path: string, body?: unknown, init?: PostInit) => postTo(edge, path, body, init);
const lastAsked = () => asked.at(-1)!;

describe('POST /v1/runs', () => {
  it('hands the calls over with who asked, and answers 201 with the run', async () => {
    const response = await post('/v1/runs', { app: 'app-1', message_id: 42, tool_calls: [native] });
    expect(response.status).toBe(201);
    expect(await response.json()).toEqual(accepted);
    expect(response.headers.get('idempotent-replayed')).toBeNull();
    expect(lastAsked().body).toMatchObject({
      tenant: 't1',
      actor: 'user-1',
      app: 'app-1',
      message_id: '42',
      mode: 'sequential',
      priority: 'normal',
      calls: [{ call_id: 'a', name: 'echo', arguments: { x: 1 }, depends_on: [] }],
    });
  });

  it('gives the same request hash for one turn in every wire shape', async () => {
    const shapes = [
      { id: 'a', type: 'function', function: { name: 'echo', arguments: '{"x":1,"y":[2]}' } },
      { id: 'a', type: 'function', function: { name: 'echo', arguments: { y: [2], x: 1 } } },
      { type: 'tool_use', id: 'a', name: 'echo', input: { x: 1, y: [2] } },
      { id: 'a', name: 'echo', arguments: { y: [2], x: 1 } },
    ];
    const hashes = new Set<unknown>();
    for (const call of shapes) {
      expect((await post('/v1/runs', { app: 'app-1', tool_calls: [call] })).status).toBe(201);
      hashes.add(lastAsked().body.request_hash);
    }
    expect(hashes.size).toBe(1);
    await post('/v1/runs', { app: 'app-1', tool_calls: [{ ...native, name: 'other' }] });
    expect(hashes.has(lastAsked().body.request_hash)).toBe(false);
  });

  it('passes the Idempotency-Key on and says when the answer is a repeated one', async () => {
    const headers = { 'idempotency-key': 'again' };
    const response = await post('/v1/runs', { app: 'app-1', tool_calls: [native] }, { headers });
    expect(lastAsked().body.idempotency_key).toBe('again');
    expect(response.status).toBe(201);
    expect(response.headers.get('idempotent-replayed')).toBe('true');
  });

  it('stores large arguments as artifacts, so that all of them together fit one event', async () => {
    const calls = Array.from({ length: 20 }, (_, at) => ({
      id: `c${at}`,
      name: 'echo',
      arguments: { text: 'x'.repeat(at === 3 ? 40_000 : 20_000) },
    }));
    expect((await post('/v1/runs', { app: 'app-1', tool_calls: calls })).status).toBe(201);
    const body = lastAsked().body as unknown as SubmitRun;
    expect(JSON.stringify(body.calls).length).toBeLessThan(256 * 1024);
    expect(body.calls[3]?.arguments).toMatchObject({ $ref: { artifact: expect.stringMatching(/^t1\./) } });
    const artifacts = await openArtifacts(store.nc);
    for (const [at, call] of body.calls.entries()) {
      expect(await artifacts.resolve(call.arguments, { tenant: 't1' })).toEqual(calls[at]?.arguments);
    }
  });

  it('keeps broken arguments for the orchestrator to fail that call alone', async () => {
    const broken = { id: 'a', type: 'function', function: { name: 'echo', arguments: '{"x":' } };
    expect((await post('/v1/runs', { app: 'app-1', tool_calls: [broken, { ...native, id: 'b' }] })).status).toBe(201);
    const { calls } = lastAsked().body as unknown as SubmitRun;
    expect(calls[0]).toMatchObject({ arguments: '{"x":', parse_error: expect.any(String) });
    expect(calls[1]?.parse_error).toBeUndefined();
  });
});

describe('POST /v1/runs/:id/rerun', () => {
  it('hands the same calls over as a new run, from the index on', async () => {
    const run = await HandRun.accept(store.log, { tools: 3, message_id: 'm1', arguments: (at) => ({ at }) });
    await run.finish();
    expect((await post(`/v1/runs/${run.run}/rerun`, { from: 1 })).status).toBe(201);
    expect(lastAsked().body).toMatchObject({
      app: 'app-1',
      message_id: 'm1',
      mode: 'sequential',
      rerun_of: run.run,
      calls: [
        { call_id: 'call_1', name: 'echo', arguments: { at: 1 }, depends_on: [] },
        { call_id: 'call_2', name: 'echo', arguments: { at: 2 }, depends_on: [] },
      ],
    });
    expect(await problem(await post(`/v1/runs/${run.run}/rerun`, { from: 3 }))).toMatchObject({ code: 'invalid' });
  });
});

describe('bad input', () => {
  const call = (over: object) => ({ app: 'app-1', tool_calls: [{ ...native, ...over }] });
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
  it.each([
    ['malformed JSON', '{"app":', 400, 'bad_json'],
    ['JSON with a prototype in it', '{"app":"a","__proto__":{"x":1}}', 400, 'bad_json'],
    ['no body', '', 422, 'invalid'],
    ['an array', '[]', 422, 'invalid'],
    ['null', 'null', 422, 'invalid'],
    ['no calls', JSON.stringify({ app: 'app-1', tool_calls: [] }), 422, 'invalid'],
    ['calls that are no list', JSON.stringify({ app: 'app-1', tool_calls: 'x' }), 422, 'invalid'],
    ['a call without a name', JSON.stringify(call({ name: undefined })), 422, 'invalid'],
    ['an app with a dot', JSON.stringify({ app: 'a.b', tool_calls: [native] }), 422, 'invalid'],
    ['an app with *', JSON.stringify({ app: 'a*', tool_calls: [native] }), 422, 'invalid'],
    ['an app with >', JSON.stringify({ app: '>', tool_calls: [native] }), 422, 'invalid'],
    ['an app with a space', JSON.stringify({ app: 'a b', tool_calls: [native] }), 422, 'invalid'],
    ['an app with a line break', JSON.stringify({ app: 'a\n', tool_calls: [native] }), 422, 'invalid'],
    ['a message id with a dot', JSON.stringify({ ...call({}), message_id: 'a.b' }), 422, 'invalid'],
    ['a negative timeout', JSON.stringify(call({ timeout_ms: -1 })), 422, 'invalid'],
    [
      '257 calls',
      JSON.stringify({
        app: 'app-1',
        tool_calls: Array.from({ length: 257 }, (_, id) => ({ ...native, id: `${id}` })),
      }),
      422,
      'too_many_calls',
    ],
    ['deep nesting', `{"app":"app-1","tool_calls":${nested(200_000)}}`, 422, 'invalid'],
    ['deep nesting inside a string of arguments', JSON.stringify(call({ arguments: nested(20_000) })), 422, 'invalid'],
    ['more than 8 MiB', JSON.stringify(call({ arguments: { x: 'x'.repeat(9 * 1024 * 1024) } })), 413, 'body_too_large'],
  ])('%s is refused by its code', async (_what, body, status, code) => {
    const before = asked.length;
    const response = await edge.fetch('/v1/runs', { method: 'POST', body });
    expect(await problem(response)).toMatchObject({ status, code });
    expect(response.status).toBe(status);
    expect(asked.length).toBe(before);
  });

  it('names the fields that are wrong', async () => {
    const body = { app: 'app-1', tool_calls: [native, { id: 'b', name: 'echo', timeout_ms: 'soon' }] };
    const answer = await problem(await post('/v1/runs', body));
    expect(answer.fields).toEqual([{ path: 'tool_calls[1].timeout_ms', message: expect.any(String) }]);
  });

  it('refuses what is no JSON by its media type', async () => {
    const headers = { 'content-type': 'text/plain' };
    const response = await edge.fetch('/v1/runs', { method: 'POST', body: 'hello', headers });
    expect(await problem(response)).toMatchObject({ status: 415, code: 'unsupported_media_type' });
  });

  it('refuses an Idempotency-Key that is too long', async () => {
    const headers = { 'idempotency-key': 'k'.repeat(256) };
    const response = await post('/v1/runs', { app: 'app-1', tool_calls: [native] }, { headers });
    expect(await problem(response)).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it.each([
    '0-x',
    '0-01ARZ3NDEKTSV4RRFFQ69G5FA*',
    '0-01ARZ3NDEKTSV4RRFFQ69G5F%3E',
    '%0a',
    'a%20b',
    '..',
    '9999-01ARZ3NDEKTSV4RRFFQ69G5FAV',
  ])('finds no run by the id %j', async (id) => {
    const response = await edge.fetch(`/v1/runs/${id === '..' ? '%2e%2e' : id}/results`);
    expect(await problem(response)).toMatchObject({ status: 404, code: 'not_found' });
  });

  it('answers an unknown address, and one that cannot be decoded, as a problem', async () => {
    expect(await problem(await edge.fetch('/v2/nothing'))).toMatchObject({ status: 404, code: 'not_found' });
    expect(await problem(await edge.fetch('/v1/runs/%E0%A4%A'))).toMatchObject({ status: 400, code: 'bad_request' });
  });
});

describe('a body that is too large', () => {
  it('is refused so that a client which is still sending reads the refusal, and the connection goes on', async () => {
    const body = `{"app":"a","tool_calls":[],"pad":"${'x'.repeat(12 * 1024 * 1024)}"}`;
    for (let round = 0; round < 20; round++) {
      const answer = await edge.fetch('/v1/runs', { method: 'POST', body });
      expect(answer.status).toBe(413);
      expect(((await answer.json()) as { code: string }).code).toBe('body_too_large');
    }
  });
});
