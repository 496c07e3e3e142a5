import { mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundle } from '@toolstream/example-stimulus';
import { freePort } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startBrowser } from './support/browser.ts';
import { type Middlebox, startMiddlebox } from './support/middlebox.ts';
import { type Ruby, startRuby } from './support/ruby.ts';
import { startTestStack, TENANT, type TestStack, until } from './support/stack.ts';

const SECRET = 'rails-example-'.padEnd(48, '0');
const FILE = { file_path: 'src/list.ts', content: 'one\ntwo\nthree\n' };
const CHANGE = {
  file_path: 'src/list.ts',
  search: 'two',
  first_replaced_line: 2,
  last_replaced_line: 2,
  replace: 'zwei',
};

/** The same turn as each model's API writes it. */
const TURNS = {
  openai: [
    ['a', 'os-write', FILE],
    ['b', 'os-line-replace', CHANGE],
    ['c', 'no-such-tool', {}],
  ].map(([id, name, args]) => ({ id, type: 'function', function: { name, arguments: JSON.stringify(args) } })),
  anthropic: [
    ['a', 'os-write', FILE],
    ['b', 'os-line-replace', CHANGE],
    ['c', 'no-such-tool', {}],
  ].map(([id, name, input]) => ({ type: 'tool_use', id, name, input })),
};

interface Failure {
  class: string;
  code: string;
  message: string;
  status?: number;
  certain?: boolean;
}
interface ToolMessage {
  role: string;
  tool_call_id: string;
  content: string;
}

let t: TestStack;
let ruby: Ruby;
let box: Middlebox;
let storage: string;
beforeAll(async () => {
  storage = mkdtempSync(join(tmpdir(), 'toolstream-rails-'));
  t = await startTestStack({ jwtSecret: SECRET });
  box = await startMiddlebox(t.url);
  ruby = await startRuby({
    TOOLSTREAM_URL: box.url,
    TOOLSTREAM_JWT_SECRET: SECRET,
    TOOLSTREAM_TENANT: TENANT,
    STORAGE: storage,
  });
}, 900_000);
afterAll(async () => {
  await box?.close();
  await t?.stop();
  rmSync(storage, { recursive: true, force: true });
});
afterEach(() => {
  box.fate = () => ({ kind: 'pass' });
});

/** One process that runs one turn, as the application's job does. */
async function turn(app: string, id: string, calls: object[], env: Record<string, string> = {}, format = 'openai') {
  const { code, out, err } = await ruby.run([join(ruby.example, 'bin', 'turn'), app, `m-${app}`, id, format], {
    env,
    stdin: JSON.stringify(calls),
  });
  return { code, err, messages: (code === 0 ? JSON.parse(out) : []) as ToolMessage[] };
}
const local = (app: string, path: string) => readFileSync(join(storage, 'apps', app, path), 'utf8');
const runsOf = async (app: string) => (await t.client().list({ app })).runs;
const listed = (app: string, count: number) =>
  until(`${count} run(s) of ${app} are listed`, 10_000, async () =>
    (await runsOf(app)).length === count ? true : undefined,
  );
const contents = (messages: ToolMessage[]) => messages.map(({ content }) => JSON.parse(content) as object);
const write = (id: string, path: string, content: string) => ({
  id,
  name: 'os-write',
  arguments: { file_path: path, content },
});

describe('The Ruby client', () => {
  it('submits a turn, sees its end, and reads every call answered in call order', async () => {
    const { run, events, results } = await ruby.evaluate<{
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
    const later = await ruby.evaluate<unknown[]>(
      `client.events("${(await runsOf('client'))[0]?.run_id}", after: "${events.at(-2)?.cursor}")`,
    );
    expect(later).toEqual([events.at(-1)]);
  });

  it('is given the same run for the same key, and told when the key was for something else', async () => {
    const submit = (content: string) =>
      `client.submit(app: "keys", tool_calls: ${literal([write('a', 'a.txt', content)])}, idempotency_key: "same")`;
    const first = await ruby.evaluate<{ run_id: string }>(submit('1'));
    expect(await ruby.evaluate<{ run_id: string }>(submit('1'))).toMatchObject({ run_id: first.run_id });
    expect(await ruby.evaluate<Failure>(submit('2'))).toMatchObject({
      class: 'Toolstream::Refused',
      code: 'idempotency_key_reused',
      status: 422,
      certain: true,
    });
    await listed('keys', 1);
  });

  it('pauses, resumes and cancels', async () => {
    const steps = [{ id: 'a', name: 'steps', arguments: { steps: 100, ms: 100 } }];
    const run = await ruby.evaluate<{ status: string; cancel: { reason: string; actor: string } }>(`
      id = client.submit(app: "control", tool_calls: ${literal(steps)}, idempotency_key: "c")["run_id"]
      %i[pause resume cancel].each { |command| client.public_send(command, id, reason: "asked for") }
      client.wait(id, within: 30)`);
    expect(run).toMatchObject({ status: 'cancelled', cancel: { reason: 'asked for', actor: 'rails' } });
  });

  it('does not wait for ever for a run that waits for a person', async () => {
    const steps = [{ id: 'a', name: 'steps', arguments: { steps: 100, ms: 100 } }];
    const failure = await ruby.evaluate<Failure>(`
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
    const files = await ruby.evaluate<{ paths: string[]; text: string }>(`
      id = client.submit(app: "files", tool_calls: ${literal([write('a', path, 'grüße\n')])}, idempotency_key: "f")["run_id"]
      client.wait(id, within: 30)
      { paths: client.files("files").map { |file| file["path"] }, text: client.file("files", ${literal(path)}).force_encoding("UTF-8") }`);
    expect(files).toEqual({ paths: [path], text: 'grüße\n' });
  });

  it('names what is wrong by its code: another secret, another app, another tenant, no such run', async () => {
    const { run_id } = await t.client().submit({ app: 'mine', tool_calls: [write('a', 'a.txt', 'x')] });
    const mine = await ruby.evaluate<string>('client.page_token(app: "mine", user: 1)');
    const others = await ruby.evaluate<string>('client.page_token(app: "others", user: 1)');
    const foreign = await ruby.evaluate<string>('client(tenant: "t2").page_token(app: "mine", user: 1)');
    const get = async (token: string) => {
      const answer = await fetch(`${t.url}/v1/runs/${run_id}`, { headers: { authorization: `Bearer ${token}` } });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await get(mine)).toEqual([200, undefined]);
    expect(await get(others)).toEqual([403, 'forbidden']);
    expect(await get(foreign)).toEqual([404, 'not_found']);
    expect(await ruby.evaluate<Failure>(`client(tenant: "t2").run("${run_id}")`)).toMatchObject({
      code: 'not_found',
      status: 404,
    });
    expect(await ruby.evaluate<Failure>(`client(secret: "x" * 40).run("${run_id}")`)).toMatchObject({
      class: 'Toolstream::Refused',
      code: 'unauthenticated',
      status: 401,
    });
  });

  it('gives pages a token that neither writes nor lasts', async () => {
    const token = await ruby.evaluate<string>('client.page_token(app: 42, user: 1, expires_in: 60)');
    const claims = JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
    expect(claims).toMatchObject({ sub: 'user-1', tenant: TENANT, apps: ['42'], scope: 'runs:read runs:control' });
    expect((claims.exp as number) - (claims.iat as number)).toBe(60);
    const expired = await ruby.evaluate<string>('client.page_token(app: 42, user: 1, expires_in: -60)');
    const post = async (bearer: string) => {
      const headers = { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ app: '42', tool_calls: [write('a', 'a.txt', 'x')] });
      const answer = await fetch(`${t.url}/v1/runs`, { method: 'POST', headers, body });
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await post(token)).toEqual([403, 'forbidden']);
    expect(await post(expired)).toEqual([401, 'token_expired']);
  });

  it('comes back when it is asked to, as late as it is asked to', async () => {
    const fates = [429, 503].map((status) => ({ kind: 'refuse', status, headers: { 'retry-after': '1' } }) as const);
    box.fate = () => fates.shift() ?? { kind: 'pass' };
    const before = performance.now();
    const answer = await ruby.evaluate<{ run_id?: string }>(
      `client.submit(app: "again", tool_calls: ${literal([write('a', 'a.txt', 'x')])}, idempotency_key: "r")`,
    );
    expect(answer.run_id).toBeDefined();
    expect(performance.now() - before).toBeGreaterThan(2_000);
    box.fate = () => ({ kind: 'refuse', status: 503, headers: { 'retry-after': '3600' } });
    expect(await ruby.evaluate<Failure>('client.tools')).toMatchObject({
      class: 'Toolstream::Unavailable',
      code: 'http_503',
      certain: false,
    });
  });
});

describe('The turn of a model', () => {
  it.each(['openai', 'anthropic'] as const)(
    'gives the same results whoever runs it, and the files are written, %s',
    async (format) => {
      const away = await turn(`there-${format}`, 't1', TURNS[format], {}, format);
      const here = await turn(`here-${format}`, 't1', TURNS[format], { TOOLSTREAM: 'off' }, format);
      expect([away.code, here.code], away.err + here.err).toEqual([0, 0]);
      expect(shape(here.messages)).toEqual(shape(away.messages));
      for (const app of [`there-${format}`, `here-${format}`])
        expect(local(app, 'src/list.ts')).toBe('one\nzwei\nthree\n');
      expect(await runsOf(`here-${format}`)).toEqual([]);
    },
  );

  it('is refused by the same codes here and there', async () => {
    const calls = [
      write('a', '../out.txt', 'x'),
      write('b', '/etc/passwd', 'x'),
      { id: 'c', name: 'os-line-replace', arguments: { ...CHANGE, file_path: 'none.ts' } },
      write('d', 'a.ts', 'one\r\ntwo\r\nthree'),
      { id: 'e', name: 'os-line-replace', arguments: { ...CHANGE, file_path: 'a.ts', last_replaced_line: 9 } },
      { id: 'f', name: 'os-line-replace', arguments: { ...CHANGE, file_path: 'a.ts', search: 'drei' } },
      { id: 'g', name: 'os-line-replace', arguments: { ...CHANGE, file_path: 'a.ts', first_replaced_line: 3 } },
      {
        id: 'h',
        name: 'os-line-replace',
        arguments: {
          ...CHANGE,
          file_path: 'a.ts',
          search: 'one\n...\nthree',
          first_replaced_line: 1,
          last_replaced_line: 3,
          replace: 'eins\nzwei\n',
        },
      },
      { id: 'i', type: 'function', function: { name: 'os-write', arguments: '{"file_path":' } },
      {
        id: 'j',
        name: 'os-line-replace',
        arguments: { file_path: 'a.ts', first_replaced_line: 2, last_replaced_line: 2, replace: '' },
      },
    ];
    const there = await turn('refused-there', 't1', calls);
    const here = await turn('refused-here', 't1', calls, { TOOLSTREAM: 'off' });
    expect(shape(here.messages)).toEqual(shape(there.messages));
    expect(codes(here.messages)).toEqual([
      'path_outside_workspace',
      'path_outside_workspace',
      'file_not_found',
      undefined,
      'line_out_of_range',
      'search_mismatch',
      'line_out_of_range',
      undefined,
      'invalid_arguments',
      undefined,
    ]);
    expect(local('refused-here', 'a.ts')).toBe(local('refused-there', 'a.ts'));
    expect(readdirSync(join(storage, 'apps', 'refused-here'))).toEqual(['a.ts']);
  });

  it('that is run again is the same run, with the same results', async () => {
    const first = await turn('twice', 't1', TURNS.openai);
    expect(await turn('twice', 't1', TURNS.openai)).toEqual(first);
    // The flag is for turns that have not begun.
    expect(await turn('twice', 't1', TURNS.openai, { TOOLSTREAM: 'off' })).toEqual(first);
    await listed('twice', 1);
    const other = await turn('twice', 't2', [write('a', 'b.txt', 'x')]);
    expect(other.code).toBe(0);
    await listed('twice', 2);
  });

  it('runs here when the service cannot be reached, and the next one there builds on its files', async () => {
    const nowhere = { TOOLSTREAM_URL: `http://127.0.0.1:${await freePort()}` };
    const raised = await turn('away', 't1', TURNS.openai, { ...nowhere, TOOLSTREAM_WHEN_AWAY: 'raise' });
    expect(raised).toMatchObject({ code: 1, err: expect.stringContaining('unreachable') });
    const here = await turn('away', 't1', TURNS.openai, nowhere);
    expect(here.code, here.err).toBe(0);
    expect(local('away', 'src/list.ts')).toBe('one\nzwei\nthree\n');
    // It is back: this turn was run, and stays so.
    expect((await turn('away', 't1', TURNS.openai)).messages).toEqual(here.messages);
    expect(await runsOf('away')).toEqual([]);
    const change = { ...CHANGE, search: 'zwei', replace: 'deux' };
    const next = await turn('away', 't2', [{ id: 'a', name: 'os-line-replace', arguments: change }]);
    expect(contents(next.messages)).toMatchObject([{ lines_written: 1 }]);
    expect(local('away', 'src/list.ts')).toBe('one\ndeux\nthree\n');
  });

  it('runs here when it is one too many there', async () => {
    box.fate = () => ({ kind: 'refuse', status: 429, headers: { 'retry-after': '0' } });
    const here = await turn('many', 't1', TURNS.openai);
    expect(here.code, here.err).toBe(0);
    expect(local('many', 'src/list.ts')).toBe('one\nzwei\nthree\n');
  });

  it('does not run here when it may be running there', async () => {
    box.fate = ({ method }) => ({ kind: method === 'POST' ? 'lose-answer' : 'pass' });
    const lost = await turn('doubt', 't1', TURNS.openai);
    expect(lost).toMatchObject({ code: 1, err: expect.stringContaining('unreachable') });
    expect(() => local('doubt', 'src/list.ts')).toThrow('ENOENT');
    // Nor when nothing gets through any more, or the flag is off by now.
    const nowhere = { TOOLSTREAM_URL: `http://127.0.0.1:${await freePort()}`, TOOLSTREAM: 'off' };
    expect((await turn('doubt', 't1', TURNS.openai, nowhere)).code).toBe(1);
    expect(() => local('doubt', 'src/list.ts')).toThrow('ENOENT');
    box.fate = () => ({ kind: 'pass' });
    const back = await turn('doubt', 't1', TURNS.openai);
    expect(codes(back.messages)).toEqual([undefined, undefined, 'unknown_tool']);
    expect(local('doubt', 'src/list.ts')).toBe('one\nzwei\nthree\n');
    await listed('doubt', 1);
  });

  it('takes up the run that it was waiting for when the service went away', async () => {
    box.fate = ({ method }) => (method === 'POST' ? { kind: 'pass' } : { kind: 'refuse', status: 502 });
    const interrupted = await turn('midway', 't1', TURNS.openai);
    expect(interrupted).toMatchObject({ code: 1, err: expect.stringContaining('http_502') });
    box.fate = () => ({ kind: 'pass' });
    const done = await turn('midway', 't1', TURNS.openai);
    expect(codes(done.messages)).toEqual([undefined, undefined, 'unknown_tool']);
    await listed('midway', 1);
  });

  it('says so when a wrong secret is configured, and runs nothing', async () => {
    const wrong = await turn('wrong', 't1', TURNS.openai, { TOOLSTREAM_JWT_SECRET: 'y'.repeat(40) });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('unauthenticated') });
    expect(() => local('wrong', 'src/list.ts')).toThrow('ENOENT');
    // Put right, it runs.
    expect((await turn('wrong', 't1', TURNS.openai)).code).toBe(0);
  });

  it('that was interrupted while it ran here goes on: what was answered stays, a replacement is not applied twice', async () => {
    const calls = [write('a', 'src/list.ts', FILE.content), { id: 'b', name: 'os-line-replace', arguments: CHANGE }];
    const outcome = await ruby.evaluate<{ messages: ToolMessage[]; file: string }>(
      `
      $LOAD_PATH.unshift(${literal(join(ruby.example, 'app', 'services'))})
      require "ai/tool_execution"
      require "ai/tool_turns"
      turns = Ai::ToolTurns.new(File.join(ENV.fetch("STORAGE"), "turns"))
      execution = Ai::ToolExecution.new(toolstream: client, turns: turns, folder: File.join(ENV.fetch("STORAGE"), "apps"), enabled: -> { false })
      calls = ${literal(calls)}
      run = -> { execution.call(calls, app: "crash", message_id: "m", turn: "t1") }
      run.call
      # As the record was in the middle of the second call.
      turns.open("turn-m-t1") { |turn| turn.update!(answers: turn.answers.slice("0")) }
      { messages: run.call, file: File.read(File.join(ENV.fetch("STORAGE"), "apps/crash/src/list.ts")) }`,
    );
    expect(contents(outcome.messages)).toMatchObject([{ created: true }, { error: { code: 'interrupted' } }]);
    expect(outcome.file).toBe('one\nzwei\nthree\n');
  });

  it('writes nothing outside its folder, not by a link either', async () => {
    const { code } = await turn('link', 't1', [write('a', 'a.txt', 'x')], { TOOLSTREAM: 'off' });
    expect(code).toBe(0);
    const outside = mkdtempSync(join(storage, 'outside-'));
    symlinkSync(outside, join(storage, 'apps', 'link', 'out'));
    const here = await turn('link', 't2', [write('a', 'out/b.txt', 'x')], { TOOLSTREAM: 'off' });
    expect(codes(here.messages)).toEqual(['path_outside_workspace']);
    expect(readdirSync(outside)).toEqual([]);
  });
});

describe('The view', () => {
  it('lets a page watch and steer the tools of its message, with a token for its app and no other', async () => {
    const html = await ruby.evaluate<string>(RENDER, { EXAMPLES: join(ruby.example, '..') });
    const scripts = await bundle();
    const server = createServer(({ url }, response) => {
      const script = scripts.get(url ?? '');
      response.setHeader('Content-Type', script ? 'text/javascript; charset=utf-8' : 'text/html; charset=utf-8');
      response.end(script ?? html);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const browser = await startBrowser();
    try {
      const page = await browser.newPage();
      await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      const steps = [{ id: 'a', name: 'steps', arguments: { steps: 100, ms: 100 } }];
      await ruby.evaluate(`client.submit(app: 42, message_id: 7, tool_calls: ${literal(steps)}, idempotency_key: "v")`);
      await page
        .getByRole('status')
        .filter({ hasText: /^Running: 0 of 1 tool/ })
        .waitFor();
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page
        .getByRole('status')
        .filter({ hasText: /^Cancelled/ })
        .waitFor();
      const { runs } = await t.client().list({ app: '42' });
      expect((await t.client().get(runs[0]!.run_id)).cancel?.actor).toBe('user-1');
      const cable = new URL((await page.locator('meta[name="action-cable-url"]').getAttribute('content')) ?? '');
      expect(cable.pathname).toBe('/cable');
      expect(cable.searchParams.get('page')).toMatch(/^[0-9a-f-]{36}$/);
    } finally {
      await browser.close();
      server.closeAllConnections();
      server.close();
    }
  });
});

describe('The files that need Rails', () => {
  it('are Ruby without warnings', async () => {
    const files = readdirSync(ruby.example, { recursive: true, encoding: 'utf8' }).filter((name) =>
      name.endsWith('.rb'),
    );
    expect(files.length).toBeGreaterThan(10);
    for (const file of files) {
      const { code, err } = await ruby.run(['-c', join(ruby.example, file)]);
      expect(code, err).toBe(0);
    }
  });
});

/** The page as Rails would render it, by the standard library's ERB. */
const RENDER = `
  require "erb"
  $LOAD_PATH.unshift(File.join(ENV.fetch("EXAMPLES"), "rails/app/helpers"))
  require "toolstream_helper"
  class View
    include ToolstreamHelper
    FILES = {
      "tool_executions/head" => "rails/app/views/tool_executions/_head.html.erb",
      "tool_executions/tool_execution" => "rails/app/views/tool_executions/_tool_execution.html.erb",
      "tool_executions/panel" => "stimulus/panel.html"
    }
    def toolstream = client
    def render(name, locals = {})
      scope = binding
      locals.each { |key, value| scope.local_variable_set(key, value) }
      ERB.new(File.read(File.join(ENV.fetch("EXAMPLES"), FILES.fetch(name)))).result(scope)
    end
  end
  with_id = Struct.new(:id)
  view = View.new
  '<!doctype html><html lang="en"><head><title>Chat</title>' \\
    "#{view.render("tool_executions/head", { app: with_id.new(42), user: with_id.new(1) })}" \\
    '<script type="module" src="/assets/page.js"></script></head>' \\
    "<body>#{view.render("tool_executions/tool_execution", { message: with_id.new(7) })}</body></html>"`;

/** A Ruby literal: JSON in a text, parsed there. */
function literal(value: unknown): string {
  const text = JSON.stringify(value);
  return `JSON.parse(${JSON.stringify(text).replaceAll('#', '\\#')})`;
}

function codes(messages: ToolMessage[]): (string | undefined)[] {
  return contents(messages).map((content) => (content as { error?: { code: string } }).error?.code);
}

/**
 * Messages as they are, their contents parsed. Sentences differ, and what Toolstream's analysis of a file adds to a result
 * is not there where the application runs the tools.
 */
function shape(messages: object[]): unknown {
  return JSON.parse(JSON.stringify(messages), (key, value: unknown) => {
    if (key === 'content' && typeof value === 'string') {
      const { imports: _i, components: _c, error, ...result } = JSON.parse(value) as Record<string, unknown>;
      return error === undefined ? result : { error: { code: (error as Failure).code } };
    }
    return value;
  });
}
