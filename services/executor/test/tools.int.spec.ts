import type { Job } from '@toolstream/proto-events';
import { openWorkspace, type Workspace } from '@toolstream/stores';
import { createContext, type ToolHost } from '@toolstream/tool-kit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openStores } from '../src/adapters/stores.ts';
import { osLineReplace } from '../src/tools/os-line-replace.ts';
import { osWrite } from '../src/tools/os-write.ts';
import { Bench } from './harness.ts';

let bench: Bench;
let workspace: Workspace;
beforeAll(async () => {
  bench = await Bench.start();
  workspace = await openWorkspace(bench.nc);
});
afterEach(() => bench.stopExecutors());
afterAll(() => bench.stop());

const LEASE = { TOOLSTREAM_LEASE_MS: '500' };
const files = () => workspace.at({ tenant: 'acme', app: 'web' });
const textOf = async (path: string) => new TextDecoder().decode((await files().read(path))?.bytes);
const write = (file_path: string, content: string) => bench.dispatch('os-write', { file_path, content });
const done = async (job: Job) => (await bench.until(job, 'tool.succeeded.v1')).data;
const refusal = async (job: Job) => (await bench.until(job, 'tool.failed.v1')).data;

/** What an attempt that is lost before its end leaves behind: the tool has run, the log does not know. */
async function runWithoutEnd(job: Job): Promise<void> {
  await bench.takeAndForget(job, 500);
  const started = { dispatch: 1, executor: 'lost', queue_ms: 0 };
  await bench.toolEvent(job, job.index, 0, 'tool.started.v1', started, job.job_id);
  const stores = (await openStores(bench.nc))(job, 1, new AbortController().signal);
  const host: ToolHost = {
    progress: async () => {},
    output: async () => {},
    checkpoint: async () => {},
    count: () => {},
    log: () => {},
    ...stores,
  };
  const { app, run, index, call_id, name } = job;
  const context = createContext(
    { app, run, index, call_id, tool: name, attempt: 1 },
    host,
    new AbortController().signal,
  );
  await (name === 'os-write' ? osWrite : osLineReplace).invoke(context, job.arguments);
}

describe('os-write', () => {
  it('creates a file and says what is in it, step by step', async () => {
    await bench.executor(LEASE);
    const content = `import React from 'react';\nexport const App = () => <p>hé</p>;\n`;
    const job = await write('src/App.tsx', content);
    expect(await done(job)).toMatchObject({
      result: {
        file_path: 'src/App.tsx',
        file_size: Buffer.byteLength(content),
        lines_written: 2,
        created: true,
        imports: ['react'],
        components: ['App'],
      },
      metrics: { bytes_written: Buffer.byteLength(content), files_created: 1, lines_written: 2 },
    });
    expect(await textOf('src/App.tsx')).toBe(content);
    const reports = (await bench.events(job)).flatMap((event) =>
      event.type === 'tool.progressed.v1' ? [event.data] : [],
    );
    expect(reports.map(({ stage }) => stage).filter((stage, i, all) => stage !== all[i - 1])).toEqual([
      'analyzing',
      'validating',
      'writing',
      'complete',
    ]);
    expect(reports.find(({ stage }) => stage === 'validating')).toEqual({
      stage: 'validating',
      message: 'Validated as typescript',
      details: { file_size: Buffer.byteLength(content), line_count: 2, imports_detected: 1 },
    });
    expect(reports.at(-1)).toMatchObject({
      progress: 100,
      details: { file_size: Buffer.byteLength(content), lines_written: 2, components_detected: ['App'] },
    });
    expect(
      reports
        .filter(({ stage }) => stage === 'analyzing' || stage === 'validating')
        .every((r) => r.progress === undefined),
    ).toBe(true);
  });

  it('replaces a file, and does not count it as created', async () => {
    await bench.executor(LEASE);
    await done(await write('twice.txt', 'one'));
    const { result, metrics } = await done(await write('twice.txt', 'two'));
    expect(result).toMatchObject({ created: false });
    expect(metrics.files_created ?? 0).toBe(0);
    expect(await textOf('twice.txt')).toBe('two');
  });

  it('measures its progress by the bytes that the store took', async () => {
    await bench.executor({ ...LEASE, TOOLSTREAM_PROGRESS_HZ: '1000' });
    const content = 'x'.repeat(1_000_000);
    const job = await bench.dispatch('os-write', { file_path: 'big.txt', content });
    await done(job);
    const measured = (await bench.events(job)).flatMap((event) =>
      event.type === 'tool.progressed.v1' && event.data.stage === 'writing' ? [event.data] : [],
    );
    expect(measured.length).toBeGreaterThan(2);
    for (const { progress, details } of measured) {
      const { bytes_written, total_bytes } = details as { bytes_written: number; total_bytes: number };
      expect(total_bytes).toBe(content.length);
      expect(progress).toBe(Math.floor((bytes_written / total_bytes) * 100));
    }
  });

  it('writes what has syntax errors, and warns', async () => {
    await bench.executor(LEASE);
    const { result } = await done(await write('broken.json', '{"a": }'));
    expect((result as { warnings: string[] }).warnings).toHaveLength(1);
    expect(await textOf('broken.json')).toBe('{"a": }');
  });

  it('writes nothing outside the workspace', async () => {
    await bench.executor(LEASE);
    for (const path of ['../x', '/etc/passwd', 'a/../../b']) {
      expect(await refusal(await write(path, 'x'))).toMatchObject({
        error: { code: 'path_outside_workspace' },
        retryable: false,
      });
    }
  });

  it('writes an empty file', async () => {
    await bench.executor(LEASE);
    expect((await done(await write('empty.txt', ''))).result).toMatchObject({ file_size: 0, lines_written: 0 });
  });

  it('that wrote and was lost still says that it created the file', async () => {
    const job = await write('lost.txt', 'kept\n');
    await runWithoutEnd(job);
    const before = await files().head('lost.txt');
    await bench.executor(LEASE);
    expect(await done(job)).toMatchObject({
      result: { created: true },
      metrics: { files_created: 1, lines_written: 1 },
    });
    expect((await files().head('lost.txt'))?.revision).toBe(before?.revision);
  });

  it('fails an attempt whose file changed under it', async () => {
    const job = await write('contested.txt', 'mine');
    const stores = (await openStores(bench.nc))(job, 1, new AbortController().signal);
    const conflict = stores.workspace.write('contested.txt', new Uint8Array(), { expectedRevision: 12345 });
    await expect(conflict).rejects.toMatchObject({ code: 'workspace_conflict', retryable: true });
    await bench.executor(LEASE);
    await done(job);
  });
});

describe('os-line-replace', () => {
  const replace = (file_path: string, first: number, last: number, text: string, search?: string) =>
    bench.dispatch('os-line-replace', {
      file_path,
      first_replaced_line: first,
      last_replaced_line: last,
      replace: text,
      ...(search === undefined ? {} : { search }),
    });

  it('replaces a range of lines and nothing else', async () => {
    await bench.executor(LEASE);
    await done(await write('lines.txt', 'a\nb\nc\nd\n'));
    const { result, metrics } = await done(await replace('lines.txt', 2, 3, 'B\nBB\nC', 'b\n...'));
    expect(await textOf('lines.txt')).toBe('a\nB\nBB\nC\nd\n');
    expect(result).toMatchObject({ lines_removed: 2, lines_written: 3, line_count: 5 });
    expect(metrics).toMatchObject({ lines_written: 3 });
  });

  it('removes lines when the replacement is empty, and keeps the file’s newlines', async () => {
    await bench.executor(LEASE);
    await done(await write('crlf.txt', 'a\r\nb\r\nc'));
    await done(await replace('crlf.txt', 2, 2, ''));
    expect(await textOf('crlf.txt')).toBe('a\r\nc');
  });

  it.each([
    ['a file that is not there', 'none.txt', 1, 1, undefined, 'file_not_found'],
    ['lines that are not there', 'short.txt', 2, 9, undefined, 'line_out_of_range'],
    ['a range that is upside down', 'short.txt', 2, 1, undefined, 'line_out_of_range'],
    ['lines that say something else', 'short.txt', 1, 1, 'nope', 'search_mismatch'],
  ])('refuses %s', async (_, path, first, last, search, code) => {
    await bench.executor(LEASE);
    await done(await write('short.txt', 'a\nb\n'));
    const job = await replace(path, first, last, 'x', search);
    expect(await refusal(job)).toMatchObject({ error: { code }, retryable: false });
    expect(await textOf('short.txt')).toBe('a\nb\n');
  });

  it('never replaces twice: an attempt that finds its own write returns that result', async () => {
    const first = await bench.executor(LEASE);
    await done(await write('once.txt', '1\n2\n3\n'));
    await first.stop();
    const job = await replace('once.txt', 1, 1, 'one\nuno');
    await runWithoutEnd(job);
    expect(await textOf('once.txt')).toBe('one\nuno\n2\n3\n');
    await bench.executor(LEASE);
    const end = await bench.until(job, 'tool.succeeded.v1');
    expect(end).toMatchObject({ attempt: 2, data: { result: { lines_written: 2 }, metrics: { lines_written: 2 } } });
    expect(await textOf('once.txt')).toBe('one\nuno\n2\n3\n');
  });
});
