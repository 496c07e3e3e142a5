import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TENANT } from '../support/stack.ts';
import { type Failure, literal, type Rails, startRails, steps, type ToolMessage, write } from './rails.ts';
import { TURNS } from './turns.ts';

let rails: Rails;
beforeAll(async () => {
  rails = await startRails();
}, 900_000);
afterAll(() => rails?.stop());
afterEach(() => {
  rails.box.fate = () => ({ kind: 'pass' });
});

describe('The Ruby client', () => {
  it('submits a turn, sees its end, and reads every call answered in call order', async () => {
    const { run, events, results } = await rails.ruby.evaluate<{
      run: { status: string; tools: { status: string }[] };
      events: { cursor: string; event: { type: string } }[];
      results: ToolMessage[];
    }>(`
      id = client.submit(app: "client", message_id: 7, tool_calls: ${literal(TURNS.openai)}, idempotency_key: "k1")["run_id"]
      { run: client.wait(id, within: 30), events: client.events(id), results: client.results(id) }`);
    expect(run.status).toBe('failed');
    expect(run.tools.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'failed']);
    expect(events[0]?.event.type).toBe('run.accepted.v1');
    expect(events.at(-1)?.event.type).toBe('run.failed.v1');
    expect(results.map(({ role, tool_call_id }) => [role, tool_call_id])).toEqual([
      ['tool', 'a'],
      ['tool', 'b'],
      ['tool', 'c'],
    ]);
    expect(results[2]?.content).toContain('unknown_tool');
    const later = await rails.ruby.evaluate<unknown[]>(
      `client.events("${(await rails.runsOf('client'))[0]?.run_id}", after: "${events.at(-2)?.cursor}")`,
    );
    expect(later).toEqual([events.at(-1)]);
  });

  it('is given the same run for the same key, and told when the key was for something else', async () => {
    const submit = (content: string) =>
      `client.submit(app: "keys", tool_calls: ${literal([write('a', 'a.txt', content)])}, idempotency_key: "same")`;
    const first = await rails.ruby.evaluate<{ run_id: string }>(submit('1'));
    expect(await rails.ruby.evaluate<{ run_id: string }>(submit('1'))).toMatchObject({ run_id: first.run_id });
    expect(await rails.ruby.evaluate<Failure>(submit('2'))).toMatchObject({
      class: 'Toolstream::Refused',
      code: 'idempotency_key_reused',
      status: 422,
      certain: true,
    });
    await rails.listed('keys', 1);
  });

  it('pauses, resumes and cancels', async () => {
    const run = await rails.ruby.evaluate<{ status: string; cancel: { reason: string; actor: string } }>(`
      id = client.submit(app: "control", tool_calls: ${literal(steps)}, idempotency_key: "c")["run_id"]
      %i[pause resume cancel].each { |command| client.public_send(command, id, reason: "asked for") }
      client.wait(id, within: 30)`);
    expect(run).toMatchObject({ status: 'cancelled', cancel: { reason: 'asked for', actor: 'rails' } });
  });

  it('does not wait for ever for a run that waits for a person', async () => {
    const failure = await rails.ruby.evaluate<Failure>(`
      id = client.submit(app: "late", tool_calls: ${literal(steps)}, idempotency_key: "l")["run_id"]
      begin
        client.wait(id, within: 0.5)
      ensure
        client.cancel(id)
      end`);
    expect(failure).toMatchObject({ class: 'Toolstream::NotFinished', code: 'not_finished' });
  });

  it('reads what the tools wrote, whatever the path', async () => {
    const path = 'mit Leerzeichen/ä+b#c?.txt';
    const files = await rails.ruby.evaluate<{ paths: string[]; text: string }>(`
      id = client.submit(app: "files", tool_calls: ${literal([write('a', path, 'grüße\n')])}, idempotency_key: "f")["run_id"]
      client.wait(id, within: 30)
      { paths: client.files("files").map { |file| file["path"] }, text: client.file("files", ${literal(path)}).force_encoding("UTF-8") }`);
    expect(files).toEqual({ paths: [path], text: 'grüße\n' });
  });

  it('names what is wrong by its code: another secret, another app, another tenant, no such run', async () => {
    const { run_id } = await rails.t.client().submit({ app: 'mine', tool_calls: [write('a', 'a.txt', 'x')] });
    const mine = await rails.ruby.evaluate<string>('client.page_token(app: "mine", user: 1)');
    const others = await rails.ruby.evaluate<string>('client.page_token(app: "others", user: 1)');
    const foreign = await rails.ruby.evaluate<string>('client(tenant: "t2").page_token(app: "mine", user: 1)');
    const get = async (token: string) => {
      const answer = await fetch(`${rails.t.url}/v1/runs/${run_id}`, { headers: { authorization: `Bearer ${token}` } });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await get(mine)).toEqual([200, undefined]);
    expect(await get(others)).toEqual([403, 'forbidden']);
    expect(await get(foreign)).toEqual([404, 'not_found']);
    expect(await rails.ruby.evaluate<Failure>(`client(tenant: "t2").run("${run_id}")`)).toMatchObject({
      code: 'not_found',
      status: 404,
    });
    expect(await rails.ruby.evaluate<Failure>(`client(secret: "x" * 40).run("${run_id}")`)).toMatchObject({
      class: 'Toolstream::Refused',
      code: 'unauthenticated',
      status: 401,
    });
  });

  it('gives pages a token that neither writes nor lasts', async () => {
    const token = await rails.ruby.evaluate<string>('client.page_token(app: 42, user: 1, expires_in: 60)');
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ sub: 'user-1', tenant: TENANT, apps: ['42'], scope: 'runs:read runs:control' });
    expect((claims.exp as number) - (claims.iat as number)).toBe(60);
    const expired = await rails.ruby.evaluate<string>('client.page_token(app: 42, user: 1, expires_in: -60)');
    const post = async (bearer: string) => {
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ app: '42', tool_calls: [write('a', 'a.txt', 'x')] });
      const answer = await fetch(`${rails.t.url}/v1/runs`, { method: 'POST', headers, body });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await post(token)).toEqual([403, 'forbidden']);
    expect(await post(expired)).toEqual([401, 'token_expired']);
  });

  it('comes back when it is asked to, as late as it is asked to', async () => {
    const fates = [429, 503].map((status) => ({ kind: 'refuse', status, headers: { 'retry-after': '1' } }) as const);
    rails.box.fate = () => fates.shift() ?? { kind: 'pass' };
    const before = performance.now();
    const answer = await rails.ruby.evaluate<{ run_id?: string }>(
      `client.submit(app: "again", tool_calls: ${literal([write('a', 'a.txt', 'x')])}, idempotency_key: "r")`,
    );
    expect(answer.run_id).toBeDefined();
    expect(performance.now() - before).toBeGreaterThan(2_000);
    rails.box.fate = () => ({ kind: 'refuse', status: 503, headers: { 'retry-after': '3600' } });
    expect(await rails.ruby.evaluate<Failure>('client.tools')).toMatchObject({
      class: 'Toolstream::Unavailable',
      code: 'http_503',
      certain: false,
    });
  });
});
