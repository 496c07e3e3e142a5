import { Kvm } from '@nats-io/kv';
import { type RunState, TOOLS_BUCKET, type ToolDefinition } from '@toolstream/proto-events';
import { openArtifacts, openWorkspace } from '@toolstream/stores';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HandRun } from './hand-run.ts';
import { startTestEdge, startTestLog, type TestEdge, type TestLog, token, until } from './harness.ts';
import { problem } from './http-support.ts';

let store: TestLog;
let edge: TestEdge;

beforeAll(async () => {
  store = await startTestLog();
  edge = await startTestEdge(store.nats);
});
afterAll(async () => {
  await edge.stop();
  await store.stop();
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

describe('GET /v1/runs/:id/artifacts/:artifact', () => {
  it('gives the run’s own artifacts, to who knows the whole reference, and nobody else’s', async () => {
    const artifacts = await openArtifacts(store.nc);
    const run = await HandRun.accept(store.log);
    const other = await HandRun.accept(store.log);
    const { $ref } = await artifacts.put(Buffer.from('{"text":"<script>"}'), {
      tenant: 't1',
      run: run.run,
      kind: 'output',
    });
    const at = (of: string, { artifact, bytes, sha256 }: typeof $ref): string =>
      `/v1/runs/${of}/artifacts/${artifact}?bytes=${bytes}&sha256=${sha256}`;
    const found = await edge.fetch(at(run.run, $ref));
    expect(await found.text()).toBe('{"text":"<script>"}');
    expect(found.headers.get('content-security-policy')).toContain('sandbox');
    for (const path of [
      at(run.run, { ...$ref, sha256: '0'.repeat(64) }),
      at(run.run, { ...$ref, bytes: 1 }),
      at(other.run, $ref),
    ]) {
      expect(await problem(await edge.fetch(path))).toMatchObject({ status: 404, code: 'not_found' });
    }
    const stranger = token({ tenant: 't2' });
    expect((await edge.fetch(at(run.run, $ref), { token: stranger })).status).toBe(404);
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

describe('GET /v1/runs/:id/files', () => {
  const text = async (response: Response) => ({ status: response.status, body: await response.text() });
  interface Change {
    path: string;
    change: string;
    index: number;
    before?: { version?: string };
    after?: { version?: string };
  }

  it('tells what each call of the run changed, and serves the contents before and after', async () => {
    const run = await HandRun.accept(store.log);
    const app = (await run.state()).app;
    const workspace = (await openWorkspace(store.nc)).at({ tenant: 't1', app });
    const other = { run: '0-01ARZ3NDEKTSV4RRFFQ69G5FAV', index: 0, attempt: 1 };
    const mine = { run: run.run, index: 2, attempt: 1 };
    const first = await workspace.write('dir/a b.txt', Buffer.from('one\n'), { ...other, expectedRevision: 0 });
    await workspace.write('dir/a b.txt', Buffer.from('two\n'), { ...mine, expectedRevision: first.revision });
    await workspace.write('new.txt', Buffer.from('new'), { ...mine, index: 3, expectedRevision: 0 });

    const answer = await edge.fetch(`/v1/runs/${run.run}/files`);
    const { changes, more } = (await answer.json()) as { changes: Change[]; more: boolean };
    expect(changes.map(({ path, change, index }) => [path, change, index])).toEqual([
      ['dir/a b.txt', 'changed', 2],
      ['new.txt', 'created', 3],
    ]);
    expect(more).toBe(false);
    const path = `/v1/apps/${app}/files/dir/a%20b.txt`;
    const of = (version: string | undefined) => `${path}?version=${encodeURIComponent(version ?? '')}`;
    expect(await text(await edge.fetch(of(changes[0]?.before?.version)))).toEqual({ status: 200, body: 'one\n' });
    expect(await text(await edge.fetch(of(changes[0]?.after?.version)))).toEqual({ status: 200, body: 'two\n' });
    expect((await edge.fetch(of(changes[1]?.after?.version))).status).toBe(404);
    expect((await edge.fetch(of('t1.x'))).status).toBe(404);

    const versions = await edge.fetch(`/v1/apps/${app}/versions?path=dir/a%20b.txt`);
    expect(((await versions.json()) as { versions: Change[] }).versions.map(({ change }) => change)).toEqual([
      'changed',
      'created',
    ]);
    expect((await edge.fetch(`/v1/apps/${app}/versions?path=../x`)).status).toBe(422);
    const stranger = token({ tenant: 't2' });
    expect((await edge.fetch(`/v1/runs/${run.run}/files`, { token: stranger })).status).toBe(404);
    expect((await edge.fetch(of(changes[0]?.after?.version), { token: stranger })).status).toBe(404);
    expect((await edge.fetch(`/v1/runs/${run.run}/files`, { token: token({ apps: ['none'] }) })).status).toBe(403);
  });
});
