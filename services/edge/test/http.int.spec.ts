import { Kvm } from '@nats-io/kv';
import {
  commandSubject,
  type RunState,
  type SubmitRun,
  submitRun,
  TOOLS_BUCKET,
  type ToolDefinition,
} from '@toolstream/proto-events';
import { type CommandService, serveCommands } from '@toolstream/service-kit';
import { openArtifacts, openWorkspace } from '@toolstream/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, uniqueName, until } from './harness.ts';

let store: TestLog;
let edge: TestEdge;
let orchestrator: CommandService;
/** What the stand-in for the orchestrator was asked; the orchestrator itself is not the subject here. */
const asked: { name: string; body: Record<string, unknown> }[] = [];
let answer: (name: string, body: Record<string, unknown>) => unknown = () => ({ ok: true, cursor: 'e.0:7' });

const accepted = { run_id: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV', cursor: 'e.0:1', status: 'accepted', tools: [] };

beforeAll(async () => {
  store = await startTestLog();
  const names = ['submit', 'pause', 'resume', 'cancel', 'cancel_tool', 'retry_tool', 'approve_tool', 'deny_tool'];
  orchestrator = await serveCommands(store.nc, {
    name: 'orchestrator',
    version: '0.0.1',
    endpoints: Object.fromEntries(
      names.map((name) => [
        name,
        {
          subject: commandSubject(name),
          handler: (body: unknown) => {
            asked.push({ name, body: body as Record<string, unknown> });
            if (name === 'submit' && !submitRun.safeParse(body).success) throw new Error('not a submission');
            return name === 'submit'
              ? { ok: true, replayed: (body as SubmitRun).idempotency_key === 'again', run: accepted }
              : answer(name, body as Record<string, unknown>);
          },
        },
      ]),
    ),
  });
  edge = await startTestEdge(store.nats);
});
afterAll(async () => {
  await edge.stop();
  await orchestrator.stop();
  await store.stop();
});

const post = (path: string, body?: unknown, init: RequestInit & { token?: string } = {}) =>
  edge.fetch(path, { method: 'POST', ...(body === undefined ? {} : { body: JSON.stringify(body) }), ...init });
const lastAsked = () => asked.at(-1)!;
const problem = async (response: Response) => {
  expect(response.headers.get('content-type')).toContain('application/problem+json');
  const body = (await response.json()) as Record<string, unknown>;
  expect(body).toMatchObject({ status: response.status, type: expect.any(String), title: expect.any(String) });
  expect(body).toMatchObject({ detail: expect.any(String), help: expect.any(String) });
  return body;
};
const native = { id: 'a', name: 'echo', arguments: { x: 1 } };

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

describe('tokens', () => {
  const foreign = token({}, 'another-secret-of-thirty-two-characters');
  const unsigned = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token().split('.')[1]}.`;
  it.each([
    ['none', '', 'unauthenticated'],
    ['nonsense', 'nonsense', 'unauthenticated'],
    ['one signed with another secret', foreign, 'unauthenticated'],
    ['an unsigned one', unsigned, 'unauthenticated'],
    ['an expired one', token({ exp: Math.floor(Date.now() / 1000) - 60 }), 'token_expired'],
    ['one without an end', token({ exp: undefined }), 'unauthenticated'],
    ['one without a tenant', token({ tenant: undefined }), 'unauthenticated'],
    ['one with a tenant that is no token', token({ tenant: 'a.*' }), 'unauthenticated'],
  ])('%s is refused', async (_what, bearer, code) => {
    const response = await edge.fetch('/v1/tools', { token: bearer });
    expect(await problem(response)).toMatchObject({ status: 401, code });
    expect(response.headers.get('www-authenticate')).toContain('Bearer');
  });

  it('need the scope of the route', async () => {
    const reader = token({ scope: 'runs:read' });
    const run = await HandRun.accept(store.log);
    const refused = await post('/v1/runs', { app: 'app-1', tool_calls: [native] }, { token: reader });
    expect(await problem(refused)).toMatchObject({ status: 403, code: 'forbidden' });
    expect((await post(`/v1/runs/${run.run}/pause`, {}, { token: reader })).status).toBe(403);
    expect((await edge.fetch(`/v1/runs/${run.run}`, { token: token({ scope: 'runs:write' }) })).status).toBe(403);
    expect((await edge.fetch(`/v1/runs/${run.run}`, { token: token({ scope: 'admin' }) })).status).toBe(200);
  });

  it('need the app, where the route names one', async () => {
    const bearer = token({ apps: ['app-2'] });
    const run = await HandRun.accept(store.log);
    expect((await post('/v1/runs', { app: 'app-1', tool_calls: [native] }, { token: bearer })).status).toBe(403);
    expect((await edge.fetch(`/v1/runs/${run.run}`, { token: bearer })).status).toBe(403);
    expect((await edge.fetch('/v1/apps/app-1/files', { token: bearer })).status).toBe(403);
    expect((await edge.fetch('/v1/runs?app=app-1', { token: bearer })).status).toBe(403);
  });
});

describe("another tenant's run", () => {
  it.each([
    ['GET', ''],
    ['GET', '/events'],
    ['GET', '/results'],
    ['POST', '/pause'],
    ['POST', '/resume'],
    ['POST', '/cancel'],
    ['POST', '/rerun'],
    ['POST', '/tools/0/cancel'],
    ['POST', '/tools/0/retry'],
    ['POST', '/tools/0/approve'],
    ['POST', '/tools/0/deny'],
  ])('does not exist for %s /v1/runs/:id%s', async (method, path) => {
    const run = await HandRun.accept(store.log, { tenant: 't2' });
    const before = asked.length;
    const answers = await Promise.all(
      [run.run, '0-01ARZ3NDEKTSV4RRFFQ69G5FAV'].map(async (id) => {
        const response = await edge.fetch(`/v1/runs/${id}${path}`, {
          method,
          headers: { accept: 'text/event-stream, application/json' },
        });
        const { request_id: _id, ...body } = await problem(response);
        return body;
      }),
    );
    expect(answers[0]).toMatchObject({ status: 404, code: 'not_found' });
    expect(answers[0]).toEqual(answers[1]);
    expect(asked.length).toBe(before);
  });
});

describe('GET /v1/runs/:id', () => {
  it('answers the fold of the log, though no projection is there', async () => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.start();
    await run.startTool(0);
    const response = await edge.fetch(`/v1/runs/${run.run}`);
    expect(response.status).toBe(200);
    const { cursor, ...state } = (await response.json()) as RunState & { cursor: string };
    expect(state).toEqual(await run.state());
    expect(cursor).toBe(run.cursor(state.seq));
  });

  it('includes what min_cursor names, and says projection_behind for what does not come', async () => {
    const run = await HandRun.accept(store.log);
    const seq = await run.start();
    const good = await edge.fetch(`/v1/runs/${run.run}?min_cursor=${run.cursor(seq)}`);
    expect(good.status).toBe(200);
    const never = await edge.fetch(`/v1/runs/${run.run}?min_cursor=${run.cursor(seq + 1000)}`);
    expect(await problem(never)).toMatchObject({ status: 503, code: 'projection_behind' });
    expect(never.headers.get('retry-after')).toBe('1');
    const bad = await edge.fetch(`/v1/runs/${run.run}?min_cursor=x`);
    expect(await problem(bad)).toMatchObject({ status: 400, code: 'bad_cursor' });
  });

  it('shows an admin the run as it was at a cursor', async () => {
    const run = await HandRun.accept(store.log);
    const { seq } = await run.state();
    await run.finish();
    const bearer = token({ scope: 'admin' });
    const then = await edge.fetch(`/v1/runs/${run.run}?at=${run.cursor(seq)}`, { token: bearer });
    expect(await then.json()).toMatchObject({ status: 'accepted', cursor: run.cursor(seq) });
    expect((await edge.fetch(`/v1/runs/${run.run}?at=${run.cursor(seq)}`)).status).toBe(403);
  });

  it('says that the projection cannot be asked, where only it could answer', async () => {
    for (const path of ['/v1/runs', '/v1/stats']) {
      const response = await edge.fetch(path);
      expect(await problem(response)).toMatchObject({ status: 503, code: 'unavailable' });
      expect(response.headers.get('retry-after')).toBe('1');
    }
  });
});

describe('commands', () => {
  it('need no body, and answer 202 with the cursor', async () => {
    const run = await HandRun.accept(store.log);
    const response = await edge.fetch(`/v1/runs/${run.run}/pause`, { method: 'POST' });
    expect(response.status).toBe(202);
    expect(await response.json()).toEqual({ cursor: 'e.0:7' });
    expect(lastAsked()).toMatchObject({ name: 'pause', body: { run: run.run, tenant: 't1', actor: 'user-1' } });
  });

  it('carry index, reason and edited arguments', async () => {
    const run = await HandRun.accept(store.log);
    const path = `/v1/runs/${run.run}/tools/0`;
    await post(`${path}/approve`, { reason: 'fine', arguments: { x: 2 } });
    expect(lastAsked()).toMatchObject({
      name: 'approve_tool',
      body: { index: 0, reason: 'fine', arguments: { x: 2 } },
    });
    await post(`${path}/approve`, { arguments: { x: 'x'.repeat(40_000) } });
    expect(lastAsked().body.arguments).toMatchObject({ $ref: { bytes: 40_008 } });
    await post(`${path}/deny`, { reason: 'no' });
    expect(lastAsked()).toMatchObject({ name: 'deny_tool', body: { index: 0, reason: 'no' } });
    for (const index of ['256', '-1', '01', 'x']) {
      expect((await post(`/v1/runs/${run.run}/tools/${index}/cancel`)).status).toBe(404);
    }
  });

  it('with one Idempotency-Key are one command, but never another one', async () => {
    const run = await HandRun.accept(store.log);
    const headers = { 'idempotency-key': 'k1' };
    const ids: unknown[] = [];
    for (const name of ['pause', 'pause', 'resume']) {
      await post(`/v1/runs/${run.run}/${name}`, {}, { headers });
      ids.push(lastAsked().body.command_id);
    }
    expect(ids[0]).toBe(ids[1]);
    expect(ids[0]).not.toBe(ids[2]);
  });

  it('that are refused are answered by their code', async () => {
    const run = await HandRun.accept(store.log);
    answer = () => ({ ok: false, error: { code: 'run_ended', message: 'The run has ended.' } });
    expect(await problem(await post(`/v1/runs/${run.run}/cancel`))).toMatchObject({ status: 409, code: 'run_ended' });
    answer = () => ({ ok: false, error: { code: 'log_full', message: 'Full.', retry_after_s: 12 } });
    const full = await post(`/v1/runs/${run.run}/cancel`);
    expect(await problem(full)).toMatchObject({ status: 503, code: 'log_full' });
    expect(full.headers.get('retry-after')).toBe('12');
    answer = () => ({ ok: true, cursor: 'e.0:7' });
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

describe('GET /v1/runs/:id/results', () => {
  it('answers every call in every format, artifacts put in and unfinished calls said so', async () => {
    const artifacts = await openArtifacts(store.nc);
    const large = { text: 'y'.repeat(50_000) };
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.start();
    await run.startTool(0);
    await run.succeedTool(0, await artifacts.putJsonIfLarge(large, { tenant: 't1', run: run.run }));
    const of = async (format: string) =>
      ((await (await edge.fetch(`/v1/runs/${run.run}/results?format=${format}`)).json()) as { messages: never[] })
        .messages;
    const [first, second] = (await of('openai')) as { tool_call_id: string; content: string }[];
    expect(first).toMatchObject({ tool_call_id: 'call_0', content: JSON.stringify(large) });
    expect(second).toMatchObject({ tool_call_id: 'call_1', content: expect.stringContaining('has not finished') });
    expect(await of('openai-responses')).toHaveLength(2);
    expect(await of('native')).toHaveLength(2);
    const [message] = (await of('anthropic')) as { content: { is_error?: boolean }[] }[];
    expect(message?.content.map((part) => part.is_error ?? false)).toEqual([false, true]);
    expect((await edge.fetch(`/v1/runs/${run.run}/results?format=latex`)).status).toBe(422);
  });
});

describe('GET /v1/runs/:id/events', () => {
  const sse = async (path: string, headers: Record<string, string> = {}) => {
    const response = await edge.fetch(path, { headers: { accept: 'text/event-stream', ...headers } });
    const text = response.status === 200 ? await response.text() : '';
    const messages = text
      .split('\n\n')
      .map((block) => block.split('\n'))
      .filter((lines) => lines.some((line) => line.startsWith('data: ')))
      .map((lines) => ({
        id: lines.find((line) => line.startsWith('id: '))?.slice(4),
        frame: JSON.parse(lines.find((line) => line.startsWith('data: '))!.slice(6)) as {
          type: string;
          cursor: string;
          prev?: string;
        },
      }));
    return { response, messages };
  };

  it('streams a snapshot first, and every frame with its cursor as id', async () => {
    const run = await HandRun.accept(store.log);
    const reading = sse(`/v1/runs/${run.run}/events`);
    await until(() => edge.edge.services.clients.count('stream') === 1);
    await run.finish(2);
    const { response, messages } = await reading;
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(messages[0]?.frame.type).toBe('snapshot');
    expect(messages.at(-1)?.frame.type).toBe('end');
    for (const { id, frame } of messages) expect(id).toBe(frame.cursor);
  });

  it('resumes behind Last-Event-ID, which wins over the cursor in the address', async () => {
    const run = await HandRun.accept(store.log);
    await run.finish(5);
    const seqs = await run.seqs();
    const whole = await sse(`/v1/runs/${run.run}/events?cursor=start`);
    const events = whole.messages.filter(({ frame }) => frame.type === 'event');
    expect(events.map(({ id }) => id)).toEqual(seqs.map((seq) => run.cursor(seq)));
    const third = events[2]!.id!;
    const rest = await sse(`/v1/runs/${run.run}/events?cursor=start`, { 'last-event-id': third });
    expect(rest.messages[0]?.frame.prev).toBe(third);
    expect(rest.messages.filter(({ frame }) => frame.type === 'event')).toHaveLength(seqs.length - 3);
  });

  it('answers 204 once the run has ended and the cursor is at its end', async () => {
    const run = await HandRun.accept(store.log);
    const last = await run.finish();
    expect((await sse(`/v1/runs/${run.run}/events?cursor=${run.cursor(last)}`)).response.status).toBe(204);
    const { response, messages } = await sse(`/v1/runs/${run.run}/events?cursor=foreign.0:${last}`);
    expect(response.status).toBe(200);
    expect(messages[0]?.frame).toMatchObject({ type: 'snapshot', reason: 'epoch' });
  });

  it('takes the token from the address, where EventSource can send no header', async () => {
    const run = await HandRun.accept(store.log);
    await run.finish();
    const path = `/v1/runs/${run.run}/events`;
    expect((await edge.fetch(`${path}?token=${token()}`, { token: '', headers: { accept: '*/*' } })).status).toBe(200);
    expect((await edge.fetch(`/v1/runs/${run.run}?token=${token()}`, { token: '' })).status).toBe(401);
    expect(await problem(await edge.fetch(`${path}?cursor=x`))).toMatchObject({ status: 400, code: 'bad_cursor' });
    const json = await edge.fetch(path, { headers: { accept: 'application/json' } });
    expect(await problem(json)).toMatchObject({ status: 400, code: 'bad_request' });
  });

  it('writes the history so far as NDJSON, an event frame a line', async () => {
    const run = await HandRun.accept(store.log, { tools: 2 });
    await run.finish(400);
    const response = await edge.fetch(`/v1/runs/${run.run}/events`, { headers: { accept: 'application/x-ndjson' } });
    const lines = (await response.text()).trimEnd().split('\n');
    const seqs = await run.seqs();
    expect(lines).toHaveLength(seqs.length);
    let prev = run.cursor(0);
    for (const [at, line] of lines.entries()) {
      const frame = JSON.parse(line) as { type: string; prev: string; cursor: string };
      expect(frame).toMatchObject({ type: 'event', prev, cursor: run.cursor(seqs[at]!) });
      prev = frame.cursor;
    }
  });
});

describe('GET /v1/apps/:app/events', () => {
  type Frame = { type: string; app: string; run: string; prev: string; cursor: string; state: { runs: object[] } };
  const history = async (app: string, cursor?: string) => {
    const path = `/v1/apps/${app}/events${cursor === undefined ? '' : `?cursor=${cursor}`}`;
    const response = await edge.fetch(path, { headers: { accept: 'application/x-ndjson' } });
    expect(response.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    return lines.map((line) => JSON.parse(line) as Frame);
  };

  it('begins with a snapshot as NDJSON, and chains every run of the app behind a cursor', async () => {
    const app = uniqueName('app');
    const first = await HandRun.accept(store.log, { app });
    const [snapshot, ...none] = await history(app);
    expect(snapshot).toMatchObject({ type: 'snapshot', app, state: { runs: [{ run_id: first.run }] } });
    expect(none).toEqual([]);
    const second = await HandRun.accept(store.log, { app });
    await first.finish(1);
    const frames = await history(app, snapshot!.cursor);
    expect(frames.filter(({ type }) => type === 'end')).toMatchObject([{ app, run: first.run }]);
    let prev = snapshot!.cursor;
    const events = frames.filter(({ type }) => type === 'event');
    for (const frame of events) {
      expect(frame).toMatchObject({ app, prev });
      prev = frame.cursor;
    }
    expect(events[0]).toMatchObject({ run: second.run });
    expect(await history(app, prev)).toEqual([]);
    expect(await history(app, 'start')).toHaveLength(frames.length + 1);
  });

  it('streams them as SSE from a cursor on, ends of runs included', async () => {
    const app = uniqueName('app');
    const run = await HandRun.accept(store.log, { app });
    const [snapshot] = await history(app);
    const leave = new AbortController();
    const response = await edge.fetch(`/v1/apps/${app}/events?cursor=${snapshot!.cursor}`, {
      headers: { accept: 'text/event-stream' },
      signal: leave.signal,
    });
    await run.finish(1);
    let text = '';
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      if (text.includes('"type":"end"')) break;
    }
    leave.abort();
    expect(text).toContain(`"app":"${app}","run":"${run.run}"`);
    expect(text).toContain('"type":"caught_up"');
  });

  it('is for those who may use the app, and for cursors of this log', async () => {
    const events = (cursor: string, claims = {}) =>
      edge.fetch(`/v1/apps/app-1/events?cursor=${cursor}`, {
        headers: { accept: 'application/x-ndjson' },
        token: token(claims),
      });
    expect(await problem(await events('start', { apps: ['other'] }))).toMatchObject({ status: 403, code: 'forbidden' });
    expect(await problem(await events('foreign.0:1'))).toMatchObject({ status: 400, code: 'bad_cursor' });
    expect((await edge.fetch('/v1/apps/no.app/events')).status).toBe(404);
  });
});

describe('GET /v1/tools', () => {
  it('lists what executors announce, and forgets what they withdraw', async () => {
    const bucket = await new Kvm(store.nc).create(TOOLS_BUCKET);
    const tool: ToolDefinition = {
      name: 'echo',
      description: 'Says it again.',
      pool: 'default',
      input_schema: { type: 'object' },
      idempotent: true,
      destructive: false,
      isolation: 'inline',
      approval: 'never',
      timeout_ms: 1000,
      retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
      estimated_ms: 10,
    };
    const listed = async () => ((await (await edge.fetch('/v1/tools')).json()) as { tools: object[] }).tools;
    expect(await listed()).toEqual([]);
    await bucket.put('default.echo', JSON.stringify(tool));
    await until(async () => (await listed()).length === 1);
    const [only] = await listed();
    expect(only).toMatchObject({ name: 'echo', pool: 'default', input_schema: { type: 'object' } });
    const forModel = async (format: string) => (await edge.fetch(`/v1/tools?format=${format}`)).json();
    const schema = { type: 'object', properties: {} };
    expect(await forModel('anthropic')).toEqual({
      tools: [{ name: 'echo', description: 'Says it again.', input_schema: schema }],
    });
    const named = { name: 'echo', description: 'Says it again.', parameters: schema, strict: false };
    expect(await forModel('openai')).toEqual({ tools: [{ type: 'function', function: named }] });
    expect(await forModel('openai-responses')).toEqual({ tools: [{ type: 'function', ...named }] });
    expect((await edge.fetch('/v1/tools?format=other')).status).toBe(422);
    await bucket.delete('default.echo');
    await until(async () => (await listed()).length === 0);
  });
});

describe('GET /v1/apps/:app/files', () => {
  it('lists and serves what tools wrote, to their own tenant only', async () => {
    const workspace = (await openWorkspace(store.nc)).at({ tenant: 't1', app: 'app-files' });
    const write = { run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV', index: 0, attempt: 1, expectedRevision: 0 };
    await workspace.write('src/ünï code.html', Buffer.from('<script>alert(1)</script>\n'), write);
    await workspace.write('b.txt', Buffer.from('hello\n'), write);
    const list = await edge.fetch('/v1/apps/app-files/files?limit=1');
    const page = (await list.json()) as { files: { path: string }[]; next: string };
    expect(page).toMatchObject({ files: [{ path: 'b.txt', size: 6 }], next: 'b.txt' });
    const more = await edge.fetch(`/v1/apps/app-files/files?after=${page.next}`);
    expect(((await more.json()) as typeof page).files.map((file) => file.path)).toEqual(['src/ünï code.html']);

    const path = `/v1/apps/app-files/files/src/${encodeURIComponent('ünï code.html')}`;
    const file = await edge.fetch(path);
    expect(await file.text()).toBe('<script>alert(1)</script>\n');
    expect(file.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(file.headers.get('content-security-policy')).toContain('sandbox');
    const again = await edge.fetch(path, { headers: { 'if-none-match': file.headers.get('etag')! } });
    expect(again.status).toBe(304);

    expect((await edge.fetch(path, { token: token({ tenant: 't2' }) })).status).toBe(404);
    expect((await edge.fetch('/v1/apps/app-files/files/none.txt')).status).toBe(404);
    const { revision } = (await workspace.head('b.txt'))!;
    await workspace.delete('b.txt', { ...write, index: 1, expectedRevision: revision });
    expect((await edge.fetch('/v1/apps/app-files/files/b.txt')).status).toBe(404);
    expect(((await (await edge.fetch('/v1/apps/app-files/files')).json()) as typeof page).files).toHaveLength(1);
    for (const outside of ['..%2f..%2fetc%2fpasswd', '%2fetc%2fpasswd', 'a%5c..%5cb', 'a%00b']) {
      expect((await edge.fetch(`/v1/apps/app-files/files/${outside}`)).status).toBe(422);
    }
    expect((await edge.fetch('/v1/apps/a.b/files')).status).toBe(404);
  });
});

describe('origins', () => {
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
