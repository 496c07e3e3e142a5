import type { Job } from '@toolstream/proto-events';
import { type AppWorkspace, openWorkspace, type Workspace } from '@toolstream/stores';
import { createContext } from '@toolstream/tool-kit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStores } from '../src/adapters/stores.ts';
import { tools } from '../src/tools/index.ts';
import { Bench } from './harness.ts';

let bench: Bench;
let workspace: Workspace;
beforeAll(async () => {
  bench = await Bench.start();
  workspace = await openWorkspace(bench.nc);
  await bench.executor({ TOOLSTREAM_LEASE_MS: '500' });
});
afterAll(() => bench.stop());

const ends = ['tool.succeeded.v1', 'tool.failed.v1'];
let apps = 0;

/** An app of its own, with files. */
async function app(files: Record<string, string | Uint8Array>) {
  const name = `app-${apps++}`;
  const at = workspace.at({ tenant: 'acme', app: name });
  for (const [path, content] of Object.entries(files)) await put(at, path, content);
  const run = async (tool: string, args: Job['arguments']) => {
    const job = await bench.dispatch(tool, args, { app: name });
    let end = await bench.until(job, 'tool.started.v1').then(() => bench.events(job));
    for (let i = 0; i < 200 && !ends.includes(end.at(-1)?.type ?? ''); i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
      end = await bench.events(job);
    }
    const last = end.at(-1);
    if (last?.type === 'tool.succeeded.v1') {
      const stores = (await openStores(bench.nc))(job, 1, new AbortController().signal);
      return (await stores.resolve(last.data.result ?? null)) as object;
    }
    if (last?.type === 'tool.failed.v1') return { code: last.data.error.code, message: last.data.error.message };
    throw new Error(`no end: ${last?.type}`);
  };
  return { name, at, run };
}

async function put(at: AppWorkspace, path: string, content: string | Uint8Array): Promise<void> {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  await at.write(path, bytes, { run: 'seed', index: 0, attempt: 1, expectedRevision: 0 });
}

/** What an attempt that is lost before its end leaves behind: the tool has run, the log does not know. */
async function runWithoutEnd(job: Job): Promise<unknown> {
  const stores = (await openStores(bench.nc))(job, 1, new AbortController().signal);
  const nothing = async () => {};
  const host = { progress: nothing, output: nothing, checkpoint: nothing, count: () => {}, log: () => {}, ...stores };
  const { app, run, index, call_id, name } = job;
  const signal = new AbortController().signal;
  const context = createContext({ app, run, index, call_id, tool: name, attempt: 1 }, host, signal);
  return tools.find((tool) => tool.name === name)?.invoke(context, job.arguments);
}

describe('os-read', () => {
  it('reads a file, whole or a range of its lines', async () => {
    const { run } = await app({ 'a.txt': 'one\ntwo\nthree\n', 'empty.txt': '' });
    expect(await run('os-read', { file_path: 'a.txt' })).toEqual({
      file_path: 'a.txt',
      content: 'one\ntwo\nthree',
      first_line: 1,
      last_line: 3,
      total_lines: 3,
      file_size: 14,
    });
    expect(await run('os-read', { file_path: 'a.txt', first_line: 2, line_count: 1 })).toMatchObject({
      content: 'two',
      last_line: 2,
      next_line: 3,
    });
    expect(await run('os-read', { file_path: 'empty.txt' })).toMatchObject({ content: '', total_lines: 0 });
  });

  it('gives long files in parts, and cuts long lines', async () => {
    const { run } = await app({ 'long.txt': `${'x'.repeat(150)}\n`.repeat(6000), 'wide.txt': 'y'.repeat(10_000) });
    const first = await run('os-read', { file_path: 'long.txt', line_count: 5000 });
    expect(JSON.stringify(first).length).toBeLessThan(250_000);
    expect(first).toMatchObject({ total_lines: 6000 });
    const resolved = first as unknown as { next_line: number; last_line: number };
    expect(resolved.next_line).toBe(resolved.last_line + 1);
    const { content } = (await run('os-read', { file_path: 'wide.txt' })) as { content: string };
    expect(content).toBe(`${'y'.repeat(4000)}…`);
  });

  it.each([
    ['a file that is not there', { file_path: 'none.txt' }, 'file_not_found'],
    ['lines that are not there', { file_path: 'a.txt', first_line: 9 }, 'line_out_of_range'],
    ['a file that is no text', { file_path: 'logo.png' }, 'not_text'],
    ['a path outside', { file_path: '../a.txt' }, 'path_outside_workspace'],
    ['an absolute path', { file_path: '/etc/passwd' }, 'path_outside_workspace'],
    ['a path that goes out and in again', { file_path: 'x/../../a.txt' }, 'path_outside_workspace'],
    ['a NUL in a path', { file_path: 'a.txt\0.png' }, 'invalid_arguments'],
  ])('refuses %s', async (_, args, code) => {
    const { run } = await app({ 'a.txt': 'a\n', 'logo.png': Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 0]) });
    expect(await run('os-read', args)).toMatchObject({ code });
  });
});

describe('os-list', () => {
  it('lists folders, globs and pages', async () => {
    const { run } = await app({ 'README.md': '#\n', 'src/a.ts': '1\n2\n', 'src/ui/b.tsx': '', 'srcs/c.ts': '' });
    const paths = async (args: Job['arguments']) => {
      const { files, next } = (await run('os-list', args)) as unknown as { files: { path: string }[]; next?: string };
      return [files.map(({ path }) => path), next];
    };
    expect(await paths({})).toEqual([['README.md', 'src/a.ts', 'src/ui/b.tsx', 'srcs/c.ts'], undefined]);
    expect(await paths({ folder: 'src' })).toEqual([['src/a.ts', 'src/ui/b.tsx'], undefined]);
    expect(await paths({ glob: '*.{ts,tsx}' })).toEqual([['src/a.ts', 'src/ui/b.tsx', 'srcs/c.ts'], undefined]);
    expect(await paths({ limit: 2 })).toEqual([['README.md', 'src/a.ts'], 'src/a.ts']);
    expect(await paths({ limit: 2, after: 'src/a.ts' })).toEqual([['src/ui/b.tsx', 'srcs/c.ts'], undefined]);
    expect(await paths({ folder: '../other' })).toEqual([[], undefined]);
    expect(await run('os-list', { glob: '[' })).toMatchObject({ code: 'invalid_arguments' });
  });

  it('sees the files of its own app only', async () => {
    await app({ 'secret.txt': 'x' });
    const { run } = await app({ 'mine.txt': 'x' });
    expect(await run('os-list', {})).toMatchObject({ files: [{ path: 'mine.txt', size: 1, lines: 1 }] });
  });
});

describe('os-search', () => {
  const files = {
    'src/a.ts': 'import x\nconst foo = 1;\n// foo(bar)\n',
    'src/b.ts': 'FOO\n',
    'docs/c.md': 'foo\n',
    'logo.png': Buffer.from([0x89, 0x50, 0, 0x66, 0x6f, 0x6f]),
  };
  const found = (result: unknown) =>
    (result as { matches: { file_path: string; line: number; column: number }[] }).matches.map(
      ({ file_path, line, column }) => `${file_path}:${line}:${column}`,
    );

  it('finds text, with lines around it, and says what it did not search', async () => {
    const { run } = await app(files);
    const result = await run('os-search', { query: 'foo', context_lines: 1 });
    expect(found(result)).toEqual(['docs/c.md:1:1', 'src/a.ts:2:7', 'src/a.ts:3:4']);
    expect(result).toMatchObject({ files_searched: 3, files_skipped: 1, truncated: false });
    expect((result as unknown as { matches: object[] }).matches[1]).toMatchObject({
      text: 'const foo = 1;',
      before: ['import x'],
      after: ['// foo(bar)'],
    });
  });

  it('takes regular expressions, case, folders and globs into account', async () => {
    const { run } = await app(files);
    expect(found(await run('os-search', { query: 'foo\\(\\w+\\)', regex: true }))).toEqual(['src/a.ts:3:4']);
    expect(found(await run('os-search', { query: 'foo', ignore_case: true, folder: 'src' }))).toHaveLength(3);
    expect(found(await run('os-search', { query: 'foo', include: ['*.ts'], exclude: ['**/b.*'] }))).toHaveLength(2);
  });

  it('stops at its limits and says so', async () => {
    const { run } = await app({ 'many.txt': 'foo\n'.repeat(500), 'wide.txt': `${'-'.repeat(5000)}foo` });
    const few = await run('os-search', { query: 'foo', max_results: 3 });
    expect([found(few).length, few]).toMatchObject([3, { truncated: true }]);
    const wide = await run('os-search', { query: 'foo', include: ['wide.txt'] });
    expect((wide as unknown as { matches: { text: string }[] }).matches[0]?.text).toMatch(/^….{100}foo$/);
  });

  it('is not stopped by a regular expression that would run for ever elsewhere', async () => {
    const { run } = await app({ 'trap.txt': `${'a'.repeat(50_000)}!\n` });
    expect(found(await run('os-search', { query: '^(a+)+$', regex: true }))).toEqual([]);
    expect(await run('os-search', { query: '(?<=a)b', regex: true })).toMatchObject({ code: 'invalid_arguments' });
  });
});

describe('os-delete', () => {
  it('deletes one file', async () => {
    const { at, run } = await app({ 'a.txt': 'a', 'b.txt': 'b' });
    expect(await run('os-delete', { file_path: 'a.txt' })).toEqual({ file_path: 'a.txt', deleted: true, file_size: 1 });
    expect((await at.list()).map(({ path }) => path)).toEqual(['b.txt']);
    expect(await run('os-delete', { file_path: 'a.txt' })).toMatchObject({ code: 'file_not_found' });
    expect(await run('os-delete', { file_path: '../b.txt' })).toMatchObject({ code: 'path_outside_workspace' });
  });

  it('asks a person first, unless told otherwise', () => {
    const { destructive, approval } = tools.find(({ name }) => name === 'os-delete') ?? {};
    expect([destructive, approval]).toEqual([true, 'destructive']);
  });
});

describe('os-rename', () => {
  it('moves a file, and replaces none', async () => {
    const { at, run } = await app({ 'a.txt': 'a', 'taken.txt': 't' });
    const args = { original_file_path: 'a.txt', new_file_path: 'deep/b.txt' };
    expect(await run('os-rename', args)).toEqual({ ...args, file_size: 1 });
    expect((await at.list()).map(({ path }) => path)).toEqual(['deep/b.txt', 'taken.txt']);
    const refused = (from: string, to: string) => run('os-rename', { original_file_path: from, new_file_path: to });
    expect(await refused('deep/b.txt', 'taken.txt')).toMatchObject({ code: 'file_exists' });
    expect(await refused('none.txt', 'c.txt')).toMatchObject({ code: 'file_not_found' });
    expect(await refused('deep/b.txt', '../c.txt')).toMatchObject({ code: 'path_outside_workspace' });
    expect(await refused('deep/b.txt', 'deep/b.txt')).toMatchObject({ code: 'invalid_arguments' });
  });
});

it.each([
  ['os-delete', { file_path: 'a.txt' }, ['b.txt']],
  ['os-rename', { original_file_path: 'a.txt', new_file_path: 'c.txt' }, ['b.txt', 'c.txt']],
])('%s that was done and lost is done', async (tool, args, left) => {
  const { name, at } = await app({ 'a.txt': 'a', 'b.txt': 'b' });
  const run = bench.newRun('acme', name);
  const job = { ...run, index: 0, call_id: 'c', name: tool, arguments: args } as unknown as Job;
  await runWithoutEnd(job);
  await runWithoutEnd(job);
  expect((await at.list()).map(({ path }) => path)).toEqual(left);
  await expect(runWithoutEnd({ ...job, index: 1 })).rejects.toMatchObject({ code: 'file_not_found' });
});
