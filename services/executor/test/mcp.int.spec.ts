import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kvm } from '@nats-io/kv';
import { isArtifactRef, type Job, type Json, TOOLS_BUCKET, type ToolDefinition } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Executor } from '../src/index.ts';
import { Bench } from './harness.ts';
import { eventually, everything, filesystem, isAlive, mcp, odd } from './mcp-servers.ts';

let bench: Bench;
let executor: Executor;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'toolstream-mcp-'));
  bench = await Bench.start();
  executor = await bench.executor({
    SLOTS: '8',
    TOOLSTREAM_MCP: mcp({
      everything: everything({ timeoutMs: 20_000 }),
      files: filesystem(folder, { approval: 'never', tools: { write_file: { idempotent: true } } }),
      odd: odd({ prefix: 'o', idleTimeoutMs: 700, tools: { counts: { idempotent: false } } }),
      away: { command: 'no-such-program-anywhere' },
    }),
  });
});
afterAll(async () => {
  await bench?.stop();
  await rm(folder, { recursive: true, force: true });
});

const inline = { isolation: 'inline' } as const;
const call = (name: string, args: Job['arguments'] = {}, over: Partial<Job> = {}) =>
  bench.dispatch(name, args, { ...inline, ...over });
const resultOf = async (job: Job) => (await bench.until(job, 'tool.succeeded.v1')).data.result;
const progressOf = async (job: Job) =>
  (await bench.events(job)).flatMap((event) => (event.type === 'tool.progressed.v1' ? [event.data] : []));
async function definition(name: string): Promise<ToolDefinition | undefined> {
  const entry = await (await new Kvm(bench.nc).open(TOOLS_BUCKET)).get(`default.${name}`);
  return entry?.operation === 'PUT' ? entry.json<ToolDefinition>() : undefined;
}

describe('the tools of an MCP server', () => {
  it('are announced with their schemas, under safe names', async () => {
    expect(await definition('everything_get-sum')).toMatchObject({
      pool: 'default',
      isolation: 'inline',
      pause: 'finish',
      timeout_ms: 20_000,
      input_schema: { type: 'object', required: ['a', 'b'] },
    });
    const odd = await definition('o_name_with_spaces___and_more');
    expect(odd).toBeDefined();
  });

  it('carry what the annotations claim, unless the configuration says otherwise', async () => {
    expect(await definition('files_read_text_file')).toMatchObject({ idempotent: true, destructive: false });
    expect(await definition('files_write_file')).toMatchObject({ destructive: true, approval: 'never' });
    expect(await definition('files_edit_file')).toMatchObject({ idempotent: false, destructive: true });
    // Not annotated: nothing is promised.
    expect(await definition('o_counts')).toMatchObject({ idempotent: false, destructive: true });
  });

  it('leave out those that only MCP tasks can call', async () => {
    expect(await definition('everything_simulate-research-query')).toBeUndefined();
  });

  it('are announced anew when the server says that they changed, and withdrawn when they are gone for good', async () => {
    expect(await definition('o_grown')).toBeUndefined();
    await resultOf(await call('o_grow'));
    await eventually('the tool is announced', () => definition('o_grown'));
    expect(await resultOf(await call('o_grown'))).toBe('here I am');
    await resultOf(await call('o_shrink'));
    await eventually('the tool is withdrawn', async () => !(await definition('o_grown')), 20_000);
  });

  it('are served although another server is away, which the readiness names', () => {
    expect(executor.readiness).toEqual({
      ready: true,
      checks: {
        'mcp.everything': 'up',
        'mcp.files': 'up',
        'mcp.odd': 'up',
        'mcp.away': expect.stringContaining('ENOENT'),
      },
    });
  });
});

describe('a call of an MCP tool', () => {
  it('gives text as text and structured content as JSON', async () => {
    expect(await resultOf(await call('everything_echo', { message: 'hello' }))).toBe('Echo: hello');
    expect(await resultOf(await call('everything_get-sum', { a: 2, b: 40 }))).toContain('42');
    expect(await resultOf(await call('o_counts', { n: 3 }))).toEqual({ n: 3 });
    expect(await resultOf(await call('everything_get-structured-content', { location: 'Chicago' }))).toMatchObject({
      temperature: expect.any(Number),
    });
  });

  it('keeps small images in the result and puts large ones into artifacts', async () => {
    const result = (await resultOf(await call('o_picture'))) as { text: string; content: { [key: string]: Json }[] };
    expect(result.text).toBe('two pictures');
    expect(result.content[0]).toMatchObject({ type: 'image', data: Buffer.from('small').toString('base64') });
    expect(result.content[1]).toMatchObject({ type: 'image', mimeType: 'image/png' });
    expect(isArtifactRef(result.content[1]?.artifact)).toBe(true);
    expect(result.content[1]).toMatchObject({ artifact: { $ref: { bytes: 20_000 } } });
  });

  it('streams its progress, measured where the server gives a total', async () => {
    const job = await call('everything_trigger-long-running-operation', { duration: 1, steps: 5 });
    expect(await resultOf(job)).toContain('Long running operation completed');
    expect((await progressOf(job)).map(({ progress }) => progress)).toEqual([20, 40, 60, 80, 100]);
    const times = (await bench.events(job)).map(({ time }) => Date.parse(time));
    // As it came, not at the end.
    expect(times.at(-1)! - times[1]!).toBeGreaterThan(500);
  });

  it('drops progress that does not increase or comes late, and knows no percentage without a total', async () => {
    const job = await call('o_zigzag');
    expect(await resultOf(job)).toBe('done');
    await resultOf(await call('o_told'));
    const seen = (await progressOf(job)).map(({ progress, details }) => [details?.progress, progress]);
    // Reports of one stage are coalesced: those that are left increase, and the last one is there.
    expect(seen.at(-1)).toEqual([4, 100]);
    const values = seen.map(([value]) => value as number);
    expect(values).toEqual([...new Set(values)].sort((a, b) => a - b));
    expect(values).not.toContain(5);
  });

  it('fails with what the server says, for good', async () => {
    const job = await call('o_fails');
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'tool_error', message: 'No such order.', details: { order: 7 } },
      retryable: false,
    });
  });

  it('fails with invalid_arguments before the server hears of it', async () => {
    const job = await call('everything_get-sum', { a: 'two' });
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'invalid_arguments' },
      retryable: false,
    });
  });

  it('hands on the trace of its run', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await resultOf(await call('o_noise', {}, { traceparent }));
    expect(JSON.parse((await resultOf(await call('o_told'))) as string)).toContainEqual({ call: 'noise', traceparent });
  });

  it('is not disturbed by what a server prints to the wrong stream', async () => {
    expect(await resultOf(await call('o_noise'))).toBe('heard anyway');
  });

  it('is cancelled, and the server is told', async () => {
    const job = await call('o_silent');
    await bench.until(job, 'tool.started.v1');
    await bench.runEvent(job, 'run.cancel_requested.v1', { cause: 'command' });
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1');
    expect(JSON.parse((await resultOf(await call('o_told'))) as string)).toContainEqual({ cancelled: true });
  });

  it('cancels a long one of the reference server', async () => {
    const job = await call('everything_trigger-long-running-operation', { duration: 20, steps: 100 });
    await bench.until(job, 'tool.progressed.v1');
    await bench.runEvent(job, 'run.cancel_requested.v1', { cause: 'command' });
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1');
    expect((await bench.types(job)).slice(-2)).toEqual(['tool.cancel_acknowledged', 'tool.cancelled']);
    // What the server still says of it ends up nowhere.
    await resultOf(await call('everything_echo', { message: 'still there' }));
    expect((await bench.types(job)).at(-1)).toBe('tool.cancelled');
  });

  it('times out as its policy says, however much progress there is', async () => {
    const args = { duration: 20, steps: 200 };
    const job = await call('everything_trigger-long-running-operation', args, { timeout_ms: 600 });
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'timeout' },
      retryable: true,
    });
  });

  it('times out when the server falls silent', async () => {
    const job = await call('o_silent');
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'timeout', message: expect.stringContaining('no progress') },
      retryable: true,
    });
  });

  it('runs beside native tools in one run', async () => {
    const path = join(folder, 'note.txt');
    const run = await call('files_write_file', { path, content: 'from a server' });
    await bench.until(run, 'tool.succeeded.v1');
    expect(await readFile(path, 'utf8')).toBe('from a server');
    await writeFile(path, 'changed');
    const over = { run: run.run, index: 1, isolation: 'inline' } as const;
    const native = await bench.dispatch('noop', { value: 1 }, over);
    expect((await bench.until(native, 'tool.succeeded.v1', 1)).data.result).toMatchObject({ value: 1 });
    const read = await bench.dispatch('files_read_text_file', { path }, { ...over, index: 2 });
    expect(JSON.stringify((await bench.until(read, 'tool.succeeded.v1', 2)).data.result)).toContain('changed');
  });
});

describe('a server that is killed', () => {
  it.each([
    ['retryably where the tool is idempotent', 'everything_trigger-long-running-operation', true],
    ['for good where it is not', 'o_silent', false],
  ])('fails the calls in flight, %s, and is started again', async (_, tool, retryable) => {
    const server = retryable ? 'everything' : 'odd';
    if (!retryable) await bench.stopExecutors();
    const own = retryable
      ? executor
      : await bench.executor({ TOOLSTREAM_MCP: mcp({ odd: odd({ prefix: 'o', idempotent: false }) }) });
    const pid = own.mcp.pidOf(server)!;
    const job = await call(tool, retryable ? { duration: 20, steps: 100 } : {}, { idempotent: retryable });
    await bench.until(job, retryable ? 'tool.progressed.v1' : 'tool.started.v1');
    if (!retryable) await eventually('the server has the call', () => true, 100);
    process.kill(pid, 'SIGKILL');
    expect((await bench.until(job, 'tool.failed.v1')).data).toMatchObject({
      error: { code: 'mcp_connection_lost' },
      retryable,
    });
    await eventually('it is up again', () => own.mcp.pidOf(server) !== pid && own.mcp.states[server] === 'up');
    const [again, args] = retryable ? ['everything_echo', { message: 'again' }] : ['o_noise', {}];
    expect(await resultOf(await call(again, args))).toBeTruthy();
  });
});

describe('an executor that ends', () => {
  it('ends its servers', async () => {
    await bench.stopExecutors();
    const own = await bench.executor({ TOOLSTREAM_MCP: mcp({ odd: odd(), everything: everything() }) });
    const pids = [own.mcp.pidOf('odd')!, own.mcp.pidOf('everything')!];
    expect(pids.map(isAlive)).toEqual([true, true]);
    await bench.stopExecutors();
    expect(pids.map(isAlive)).toEqual([false, false]);
  });
});
