import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStack, type TestStack } from './support/stack.ts';

let t: TestStack;
let auth: Record<string, string>;
beforeAll(async () => {
  t = await startTestStack();
  auth = { authorization: `Bearer ${await t.token()}`, 'content-type': 'application/json' };
});
afterAll(() => t?.stop());

const post = async (path: string, body: unknown, headers: Record<string, string> = {}) => {
  const response = await fetch(`${t.url}${path}`, {
    method: 'POST',
    headers: { ...auth, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown> & { code?: string },
  };
};
const get = async (path: string, headers = auth) => {
  const response = await fetch(`${t.url}${path}`, { headers });
  return { status: response.status, body: (await response.json()) as Record<string, never> & { code?: string } };
};
const write = (id: string, path: string) => ({
  id,
  name: 'os-write',
  arguments: { file_path: path, content: `// ${id}\n` },
});
const finished = async (run: string) => t.client().watch(run).done;

describe('POST /v1/runs', () => {
  it('makes one run of the same body and Idempotency-Key', async () => {
    const body = { app: 'idem', tool_calls: [write('a', 'a.ts')] };
    const [one, two] = await Promise.all([
      post('/v1/runs', body, { 'idempotency-key': 'k-1' }),
      post('/v1/runs', body, { 'idempotency-key': 'k-1' }),
    ]);
    expect([one.status, two.status]).toEqual([201, 201]);
    expect(two.body).toEqual(one.body);
    const third = await post('/v1/runs', body, { 'idempotency-key': 'k-1' });
    expect(third.headers.get('idempotent-replayed')).toBe('true');
    expect(third.body).toEqual(one.body);
    const other = await post('/v1/runs', { ...body, tool_calls: [write('b', 'b.ts')] }, { 'idempotency-key': 'k-1' });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    await finished(one.body.run_id as string);
  });

  it('makes the same run of OpenAI and Anthropic calls, and answers each in its format, in call order', async () => {
    const args = { file_path: 'same.ts', content: 'export {};\n' };
    const openai = {
      app: 'shapes',
      mode: 'parallel',
      tool_calls: [
        { id: 'x1', type: 'function', function: { name: 'steps', arguments: JSON.stringify({ steps: 3, ms: 30 }) } },
        { id: 'x2', type: 'function', function: { name: 'os-write', arguments: JSON.stringify(args) } },
        { id: 'x3', type: 'function', function: { name: 'nope', arguments: '{}' } },
      ],
    };
    const anthropic = {
      app: 'shapes',
      mode: 'parallel',
      tool_calls: [
        { type: 'tool_use', id: 'x1', name: 'steps', input: { steps: 3, ms: 30 } },
        { type: 'tool_use', id: 'x2', name: 'os-write', input: args },
        { type: 'tool_use', id: 'x3', name: 'nope', input: {} },
      ],
    };
    const a = await post('/v1/runs', openai, { 'idempotency-key': 'shape' });
    const b = await post('/v1/runs', anthropic, { 'idempotency-key': 'shape' });
    expect(b.body).toEqual(a.body);
    expect(b.headers.get('idempotent-replayed')).toBe('true');
    const run = a.body.run_id as string;
    expect((await finished(run)).status).toBe('failed');
    const openaiResults = (await get(`/v1/runs/${run}/results?format=openai`)).body as unknown as {
      messages: { tool_call_id: string; role: string; content: string }[];
    };
    expect(openaiResults.messages.map((m) => [m.role, m.tool_call_id])).toEqual([
      ['tool', 'x1'],
      ['tool', 'x2'],
      ['tool', 'x3'],
    ]);
    expect(openaiResults.messages[2]!.content).toContain('unknown_tool');
    const anthropicResults = (await get(`/v1/runs/${run}/results?format=anthropic`)).body as unknown as {
      messages: { content: { tool_use_id: string; is_error?: boolean }[] }[];
    };
    expect(anthropicResults.messages[0]!.content.map((c) => [c.tool_use_id, c.is_error ?? false])).toEqual([
      ['x1', false],
      ['x2', false],
      ['x3', true],
    ]);
  });

  it('refuses bad bodies with a code and changes nothing', async () => {
    const before = ((await get('/v1/runs?app=bad')).body as unknown as { runs: unknown[] }).runs.length;
    const call = write('a', 'a.ts');
    const cases: [unknown, number, string][] = [
      ['{"app":', 400, 'bad_json'],
      [{ app: 'bad' }, 422, 'invalid'],
      [{ app: 'bad', tool_calls: [] }, 422, 'invalid'],
      [{ app: 'bad', tool_calls: [call, call] }, 422, 'duplicate_call_id'],
      [
        {
          app: 'bad',
          tool_calls: [
            { ...call, depends_on: ['b'] },
            { ...write('b', 'b.ts'), depends_on: ['a'] },
          ],
        },
        422,
        'dependency_cycle',
      ],
      [{ app: 'bad', tool_calls: Array.from({ length: 257 }, (_, i) => write(`c${i}`, 'x')) }, 422, 'too_many_calls'],
      [`{"app":"bad","tool_calls":[],"pad":"${'x'.repeat(9 * 1024 * 1024)}"}`, 413, 'body_too_large'],
      ...['a.b', 'a*', 'a>', 'a b', 'a\nb', ''].map((app): [unknown, number, string] => [
        { app, tool_calls: [call] },
        422,
        'invalid',
      ]),
    ];
    for (const [body, status, code] of cases) {
      const answer = await post('/v1/runs', body);
      expect([answer.status, answer.body.code], JSON.stringify(body).slice(0, 80)).toEqual([status, code]);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
    }
    expect(((await get('/v1/runs?app=bad')).body as unknown as { runs: unknown[] }).runs).toHaveLength(before);
  });

  it('fails a call with unfit arguments, an unknown tool or a path outside the workspace alone', async () => {
    const { body } = await post('/v1/runs', {
      app: 'alone',
      mode: 'parallel',
      tool_calls: [
        { id: 'broken', type: 'function', function: { name: 'os-write', arguments: '{"file_path":' } },
        { id: 'unfit', name: 'os-write', arguments: { file_path: 7 } },
        { id: 'unknown', name: 'no-such-tool', arguments: {} },
        write('outside', '../etc/passwd'),
        write('fine', 'fine.ts'),
      ],
    });
    const state = await finished(body.run_id as string);
    expect(state.tools.map((tool) => tool.error?.code)).toEqual([
      'invalid_arguments',
      'invalid_arguments',
      'unknown_tool',
      'path_outside_workspace',
      undefined,
    ]);
    expect(state.tools[4]!.status).toBe('succeeded');
    const files = (await get('/v1/apps/alone/files')).body as unknown as { files: { path: string }[] };
    expect(files.files.map((f) => f.path)).toEqual(['fine.ts']);
  });
});

describe('Whoever asks', () => {
  it('is told apart: missing, expired, foreign and too small tokens', async () => {
    const { body } = await post('/v1/runs', { app: 'mine', tool_calls: [write('a', 'a.ts')] });
    const path = `/v1/runs/${body.run_id}`;
    const as = async (claims: Parameters<TestStack['token']>[0]) => ({
      authorization: `Bearer ${await t.token(claims)}`,
    });
    const code = async (headers: Record<string, string>, p = path) => {
      const answer = await get(p, headers as never);
      return [answer.status, answer.body.code];
    };
    expect(await code({})).toEqual([401, 'unauthenticated']);
    expect(await code({ authorization: 'Bearer nonsense' })).toEqual([401, 'unauthenticated']);
    expect(await code(await as({ expiresInSeconds: -3600 }))).toEqual([401, 'token_expired']);
    expect(await code(await as({ tenant: 'stranger' }))).toEqual([404, 'not_found']);
    expect(await code(await as({ scope: 'runs:control' }))).toEqual([403, 'forbidden']);
    expect(await code(await as({}), '/v1/runs/0-01ARZ3NDEKTSV4RRFFQ69G5FAV')).toEqual([404, 'not_found']);
    await finished(body.run_id as string);
  });

  it('gets the code of a late or impossible command', async () => {
    const { body } = await post('/v1/runs', { app: 'late', tool_calls: [write('a', 'a.ts')] });
    const run = body.run_id as string;
    await finished(run);
    expect((await post(`/v1/runs/${run}/cancel`, {})).body.code).toBe('run_ended');
    expect((await get(`/v1/runs/${run}/events?cursor=nonsense`)).body.code).toBe('bad_cursor');
  });
});

describe('A person’s commands', () => {
  it('pause, resume and cancel a run that is under way', async () => {
    const client = t.client();
    const { run_id } = await client.submit({
      app: 'control',
      tool_calls: Array.from({ length: 4 }, (_, i) => ({
        id: `s${i}`,
        name: 'steps',
        arguments: { steps: 30, ms: 100 },
      })),
    });
    const statuses: string[] = [];
    const watch = client.watch(run_id, { cursor: 'start' });
    watch.on('state', (state) => {
      if (statuses.at(-1) !== state.status) statuses.push(state.status);
    });
    await new Promise((resolve) => setTimeout(resolve, 300));
    const paused = await post(`/v1/runs/${run_id}/pause`, { reason: 'lunch' });
    expect(paused.status).toBe(202);
    expect((await post(`/v1/runs/${run_id}/pause`, {})).body.cursor).toBe(paused.body.cursor);
    await post(`/v1/runs/${run_id}/resume`, {});
    const asked = Date.now();
    await post(`/v1/runs/${run_id}/cancel`, { reason: 'enough' });
    const state = await watch.done;
    expect(Date.now() - asked).toBeLessThan(5_000);
    expect(state.status).toBe('cancelled');
    expect(state.tools.map((tool) => tool.status)).toEqual(['cancelled', 'cancelled', 'cancelled', 'cancelled']);
    expect(statuses).toEqual(['accepted', 'running', 'paused', 'running', 'cancelling', 'cancelled']);
  });
});
