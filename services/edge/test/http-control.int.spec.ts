import type { CommandService } from '@toolstream/service-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token } from './harness.ts';
import { native, type PostInit, postTo, problem } from './http-support.ts';
import { type Asked, standInOrchestrator } from './orchestrator-stand-in.ts';

let store: TestLog;
let edge: TestEdge;
let orchestrator: CommandService;
const asked: Asked[] = [];
let answer: (asked: Asked) => unknown = () => ({ ok: true, cursor: 'e.0:7' });

beforeAll(async () => {
  store = await startTestLog();
  orchestrator = await standInOrchestrator(store.nc, (request) => {
    asked.push(request);
    return answer(request);
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
