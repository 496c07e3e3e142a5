import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kvm } from '@nats-io/kv';
import { submitBody, TOOLS_BUCKET, type ToolDefinition } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Bench } from './harness.ts';

const ROOT = join(import.meta.dirname, '../../..');
const PAGE = join(ROOT, 'docs/guides/write-a-tool.md');

let bench: Bench;
let folder: string;
let child: ChildProcess | undefined;
/** What the page says to put into which file. */
const files = new Map<string, string>();
let commands: string[];

beforeAll(async () => {
  const page = await readFile(PAGE, 'utf8');
  for (const [, name = '', content = ''] of page.matchAll(/`([\w./-]+)`[^`\n]*:\n\n```(?:js|json)\n(.*?)^```$/gms)) {
    files.set(name, content);
  }
  commands = [...page.matchAll(/^```sh\n(.*?)^```$/gms)].map(([, command = '']) => command.trim());
  // Inside the checkout, as the page says: packages are found from there.
  await mkdir(join(ROOT, '.cache'), { recursive: true });
  folder = await mkdtemp(join(ROOT, '.cache/write-a-tool-'));
  for (const [name, content] of files) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), content);
  }
  bench = await Bench.start();
});
afterAll(async () => {
  child?.kill('SIGKILL');
  await bench.stop();
  await rm(folder, { recursive: true });
});

describe('docs/guides/write-a-tool.md', () => {
  it('makes a tool package in under 20 lines', () => {
    expect([...files.keys()].sort()).toEqual([
      'my-tools/index.js',
      'my-tools/index.test.js',
      'my-tools/package.json',
      'words.json',
    ]);
    const code = (name: string) =>
      files
        .get(name)!
        .trim()
        .split('\n')
        .filter((line) => line.trim() !== '').length;
    expect(code('my-tools/index.js') + code('my-tools/package.json')).toBeLessThan(20);
  });

  it('tests it', async () => {
    const [program, ...args] = commands[0]!.split(' ');
    expect(program).toBe('node');
    const env = { ...process.env, NODE_TEST_CONTEXT: undefined, VITEST: undefined };
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder, env });
    expect(stdout).toMatch(/pass 2/);
    expect(stdout).toMatch(/fail 0/);
  });

  it('serves it', async () => {
    const [, name, value] = /^(TOOLSTREAM_TOOLS)=(\S+) /.exec(commands[1]!)!;
    child = fork(join(import.meta.dirname, '../src/main.ts'), {
      cwd: folder,
      execArgv: ['--conditions=toolstream', '--import', createRequire(import.meta.url).resolve('tsx')],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      env: { ...process.env, NATS_URL: bench.nats.url, LOG_LEVEL: 'error', [name!]: value },
    });
    await once(child, 'message');
    const entry = await (await new Kvm(bench.nc).open(TOOLS_BUCKET)).get('default.count-words');
    expect(entry?.json<ToolDefinition>()).toMatchObject({
      isolation: 'process',
      input_schema: {
        properties: { file_path: { description: 'Path inside the workspace' } },
        required: ['file_path'],
      },
    });
  });

  it('calls it', async () => {
    const body = JSON.parse(files.get('words.json')!) as { app: string; tool_calls: unknown };
    expect(submitBody.safeParse(body).success).toBe(true);
    const calls = body.tool_calls as { name: string; arguments: { [name: string]: string } }[];
    expect(calls.map(({ name }) => name)).toEqual(['os-write', 'count-words']);
    const isolations = ['thread', 'process'] as const;
    const ends = [];
    for (const [at, call] of calls.entries()) {
      const job = await bench.dispatch(call.name, call.arguments, { app: body.app, isolation: isolations[at]! });
      ends.push(await bench.untilEnd(job));
    }
    expect(ends.map(({ type }) => type)).toEqual(['tool.succeeded.v1', 'tool.succeeded.v1']);
    expect(ends[1]?.data).toMatchObject({
      result: { words: 3 },
      metrics: { memory_peak_bytes: expect.any(Number), cpu_ms: expect.any(Number) },
    });
  });
});
