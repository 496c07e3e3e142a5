import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ToolFailure } from '../failure.ts';
import { defineTool, type ToolSpec } from '../tool.ts';
import { MemoryWorkspace, testTool } from './index.ts';

const base = { name: 'tool', description: 'A tool', input: z.object({}), idempotent: true, estimatedMs: 1 };
const tool = (run: ToolSpec<z.ZodObject>['run'], over: Partial<ToolSpec<z.ZodObject>> = {}) =>
  defineTool({ ...base, ...over, run });

describe('a tool under test', () => {
  it('succeeds with its result, and what it reported can be looked at', async () => {
    const run = testTool(
      tool(async (ctx) => {
        await ctx.progress({ stage: 'working', progress: 50 });
        await ctx.output('stdout', 'a');
        await ctx.output('stderr', 'b');
        await ctx.output('stdout', Buffer.from('c'));
        await ctx.checkpoint({ at: 1 });
        ctx.metrics.add('lines_written', 2);
        ctx.metrics.add('lines_written', 3);
        ctx.log.info('done', { lines: 5 });
        return { attempt: ctx.attempt, from: ctx.checkpointState };
      }),
      {},
      { attempt: 2, checkpoint: { at: 0 } },
    );
    expect(await run.end).toEqual({ status: 'succeeded', result: { attempt: 2, from: { at: 0 } } });
    expect(run.progress).toEqual([{ stage: 'working', progress: 50 }]);
    expect([run.output(), run.output('stdout')]).toEqual(['abc', 'ac']);
    expect(run.checkpoints).toEqual([{ at: 1 }]);
    expect(run.metrics).toEqual({ lines_written: 5 });
    expect(run.logs).toEqual([{ level: 'info', message: 'done', fields: { lines: 5 } }]);
  });

  it('fails as its attempt would: by its own code, by its arguments, by an error', async () => {
    const own = tool(() => {
      throw new ToolFailure({ code: 'no_luck', message: 'Not today.', retryable: true, details: { try: 'later' } });
    });
    expect(await testTool(own, {}).end).toEqual({
      status: 'failed',
      error: { code: 'no_luck', message: 'Not today.', details: { try: 'later' } },
      retryable: true,
    });
    const picky = tool(() => null, { input: z.object({ n: z.number() }) });
    expect(await testTool(picky, { n: 'x' }).end).toMatchObject({ error: { code: 'invalid_arguments' } });
    const broken = tool(() => Reflect.get(undefined as unknown as object, 'x'), { idempotent: false });
    expect(await testTool(broken, {}).end).toMatchObject({ error: { code: 'tool_error' }, retryable: false });
    await expect(testTool(broken, {}).result).rejects.toThrow(TypeError);
  });

  it('is cancelled by its signal, and its context is dead from then on', async () => {
    let after: unknown;
    const run = testTool(
      tool(async (ctx) => {
        await ctx.progress({ stage: 'waiting' });
        await sleep(10_000, undefined, { signal: ctx.signal }).catch(() => {});
        after = await ctx.workspace.list().catch((error: unknown) => error);
      }),
      {},
    );
    await run.until(({ progress }) => progress.length === 1);
    run.abort();
    expect(await run.end).toEqual({ status: 'cancelled' });
    expect(after).toMatchObject({ name: 'ToolAborted', kind: 'cancel' });
  });

  it('is handed back when it was asked to for a pause or a shutdown, unless it finished', async () => {
    const waiting = tool((ctx) => sleep(10_000, undefined, { signal: ctx.signal }));
    for (const kind of ['drain', 'paused'] as const) {
      const run = testTool(waiting, {});
      run.abort(kind);
      expect(await run.end).toEqual({ status: 'released', reason: kind });
    }
    const quick = testTool(
      tool(() => 'finished'),
      {},
    );
    quick.abort('drain');
    expect(await quick.end).toEqual({ status: 'succeeded', result: 'finished' });
  });

  it('is found out when it does not hear its signal, or takes too long', async () => {
    const deaf = tool(() => sleep(300));
    const run = testTool(deaf, {}, { graceMs: 20 });
    run.abort();
    expect(await run.end).toEqual({ status: 'terminated', asked: 'cancel' });
    await expect(run.result).rejects.toThrow('did not within 20 ms');
    const slow = tool((ctx) => sleep(10_000, undefined, { signal: ctx.signal }));
    expect(await testTool(slow, {}, { timeoutMs: 20 }).end).toMatchObject({
      error: { code: 'timeout' },
      retryable: true,
    });
  });

  it('is held by a pause at its next report, and goes on', async () => {
    const run = testTool(
      tool(async (ctx) => {
        for (let step = 1; step <= 3; step++) await ctx.progress({ stage: 'step', details: { step } });
        return 'through';
      }),
      {},
    );
    run.pause();
    await run.until(({ isHeld, progress }) => isHeld || progress.length > 0);
    await sleep(5);
    expect([run.isHeld, run.progress.length]).toEqual([true, 1]);
    run.resume();
    expect(await run.end).toEqual({ status: 'succeeded', result: 'through' });
  });

  it('has no network but the one it is given, and its requests are counted', async () => {
    const fetching = tool(async (ctx) =>
      (await ctx.fetch('https://example.org/a', { method: 'POST', body: 'x' })).text(),
    );
    expect(await testTool(fetching, {}).end).toMatchObject({ error: { message: /no network/ } });
    const run = testTool(fetching, {}, { fetch: async (request) => new Response(`got ${await request.text()}`) });
    expect(await run.result).toBe('got x');
    expect(run.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['POST https://example.org/a']);
    expect(run.metrics).toEqual({ api_calls: 1 });
    const hanging = testTool(fetching, {}, { fetch: () => new Promise(() => {}) });
    await sleep(5);
    hanging.abort();
    expect(await hanging.end).toEqual({ status: 'cancelled' });
    // The abort after an answer that threw at once is nobody's unhandled rejection.
    const down = () => {
      throw new Error('down');
    };
    const patient = tool((ctx) => ctx.fetch('https://example.org').catch(() => sleep(10_000)));
    const broken = testTool(patient, {}, { fetch: down, graceMs: 5 });
    await sleep(5);
    broken.abort();
    expect(await broken.end).toEqual({ status: 'terminated', asked: 'cancel' });
  });

  it('leaves no condition waiting that can no longer come true', async () => {
    const run = testTool(
      tool(() => null),
      {},
    );
    await expect(run.until(() => false)).rejects.toThrow('ended (succeeded)');
  });
});

describe('a workspace under test', () => {
  const call = { app: 'a', run: 'r', index: 0, call_id: 'c', tool: 't', attempt: 1 };
  const neighbour = { ...call, index: 1 };
  const bytes = Buffer.from('new');

  it('keeps to revisions', async () => {
    const memory = new MemoryWorkspace({ 'a.txt': 'old' });
    const files = memory.at(call);
    const head = await files.head('./a.txt');
    await memory.at(neighbour).write('a.txt', bytes, { expectedRevision: head!.revision });
    const conflict = { code: 'workspace_conflict', retryable: true };
    await expect(files.write('a.txt', bytes, { expectedRevision: head!.revision })).rejects.toMatchObject(conflict);
    await expect(files.write('a.txt', bytes, { expectedRevision: 0 })).rejects.toMatchObject(conflict);
    await expect(files.delete('a.txt', { expectedRevision: head!.revision })).rejects.toMatchObject(conflict);
    await expect(files.delete('b.txt', { expectedRevision: 0 })).rejects.toMatchObject(conflict);
    expect(memory.text('a.txt')).toBe('new');
  });

  it('renames and deletes once, and a retry finds that it did', async () => {
    const memory = new MemoryWorkspace({ 'a.txt': 'text' });
    const files = memory.at(call);
    const { revision } = (await files.head('a.txt'))!;
    await files.rename('a.txt', 'b/c.txt', { expectedRevision: revision, meta: { moved: true } });
    expect(memory.paths).toEqual(['b/c.txt']);
    const retry = memory.at({ ...call, attempt: 2 });
    expect(await retry.rename('a.txt', 'b/c.txt', { expectedRevision: 0 })).toMatchObject({ meta: { moved: true } });
    await expect(memory.at(neighbour).rename('a.txt', 'd', { expectedRevision: 0 })).rejects.toThrow('not there');
    await files.delete('b/c.txt', { expectedRevision: (await files.head('b/c.txt'))!.revision });
    await retry.delete('b/c.txt', { expectedRevision: 0 });
    expect(memory.paths).toEqual([]);
  });

  it('lists in pages and gives copies', async () => {
    const memory = new MemoryWorkspace({ 'src/b': '2', 'src/a': '1', other: '3' });
    const files = memory.at(call);
    expect((await files.list('src/', { limit: 1 })).map(({ path }) => path)).toEqual(['src/a']);
    expect((await files.list('src/', { after: 'src/a' })).map(({ path }) => path)).toEqual(['src/b']);
    (await files.read('other'))!.bytes.fill(0);
    expect(memory.text('other')).toBe('3');
  });

  it.each([
    ['/etc/passwd', 'path_outside_workspace'],
    ['a/../../x', 'path_outside_workspace'],
    ['a\\b', 'path_outside_workspace'],
    ['a/.', 'invalid_arguments'],
    ['a\u0085b', 'invalid_arguments'],
    ['\ud800', 'invalid_arguments'],
  ])('refuses %j as the real one does: %s', async (path, code) => {
    await expect(new MemoryWorkspace().at(call).head(path)).rejects.toMatchObject({ name: 'ToolFailure', code });
  });
});

describe('artifacts under test', () => {
  it('come back, stream or not, with their type and measured progress', async () => {
    const seen: unknown[] = [];
    const run = testTool(
      tool(async (ctx) => {
        const whole = await ctx.artifacts.put('text', { contentType: 'text/plain' });
        const streamed = await ctx.artifacts.put(new Blob(['ab', 'cd']).stream(), {
          onBytes: (written, total) => seen.push([written, total]),
        });
        return [whole, streamed, Buffer.from((await ctx.artifacts.get(whole))!).toString()] as never;
      }),
      {},
    );
    const [, streamed, text] = (await run.result) as unknown as [never, { $ref: { bytes: number } }, string];
    expect([streamed.$ref.bytes, text]).toEqual([4, 'text']);
    expect(run.artifacts.all[0]?.contentType).toBe('text/plain');
    expect(seen.at(-1)).toEqual([4, undefined]);
  });
});
