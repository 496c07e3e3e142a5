import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Json } from '@toolstream/proto-events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shell } from '../src/tools/shell.ts';
import { Bench } from './harness.ts';
import { Recording, record } from './recording.ts';

beforeAll(() => {
  process.env.TOOLSTREAM_SHELL_ALLOW = 'sh,cat,node,sleep,no-such-program';
  process.env.SECRET_OF_THE_EXECUTOR = 'hunter2';
});
afterAll(() => {
  for (const name of ['TOOLSTREAM_SHELL', 'TOOLSTREAM_SHELL_ALLOW', 'SECRET_OF_THE_EXECUTOR']) delete process.env[name];
});

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 100 && isAlive(pid); i++) await sleep(50);
  expect(isAlive(pid)).toBe(false);
}

/** With files in the workspace. `sh` stands for any program that does more than it should. */
async function run(args: { [name: string]: Json }, files: Record<string, string> = {}) {
  const recording = new Recording('shell');
  for (const [path, text] of Object.entries(files)) recording.files.set(path, Buffer.from(text));
  const text = (path: string) => {
    const bytes = recording.files.get(path);
    return bytes && new TextDecoder().decode(bytes);
  };
  const result = (await shell.invoke(recording.context, args)) as Record<string, unknown>;
  return Object.assign(recording, { result, text });
}
const sh = (script: string): string[] => ['sh', '-c', script];

describe('shell', () => {
  it('runs a program on copies of files, streams its output, saves what it changed', async () => {
    const { result, text, outputs, stages, counts } = await run(
      {
        command: sh('cat src/a.txt; echo oops >&2; echo more >> src/a.txt; echo new > out/b.txt; exit 3'),
        files: ['src/a.txt', 'same.txt', 'out/b.txt'],
      },
      { 'src/a.txt': 'hi\n', 'same.txt': 's', 'other.txt': 'o' },
    );
    expect(result).toEqual({
      exit_code: 3,
      signal: null,
      stdout: 'hi\n',
      stderr: 'oops\n',
      files_saved: ['src/a.txt', 'out/b.txt'],
    });
    expect([text('src/a.txt'), text('out/b.txt')]).toEqual(['hi\nmore\n', 'new\n']);
    expect(outputs.toSorted()).toEqual([
      ['stderr', 'oops\n'],
      ['stdout', 'hi\n'],
    ]);
    expect(stages).toEqual(['preparing', 'running', 'saving', 'complete']);
    expect(counts).toEqual({ bytes_written: 12, files_created: 1, lines_written: 3 });
  });

  it('sees only the files that are named, and nothing of the executor', async () => {
    const { result } = await run(
      { command: sh('ls -A; env | sort; pwd'), files: ['a.txt'] },
      { 'a.txt': 'a', 'secret.txt': 'x' },
    );
    const stdout = String(result.stdout);
    expect(stdout.split('\n')[0]).toBe('a.txt');
    expect(stdout).not.toMatch(/secret\.txt|hunter2|NATS|TOOLSTREAM_/);
    // Its folder is gone with it.
    expect(readdirSync(tmpdir())).not.toContain(/toolstream-shell-[^/]+/.exec(stdout)?.[0]);
  });

  it('does not delete what a program deleted, and says so', async () => {
    const { result, text } = await run({ command: sh('rm a.txt'), files: ['a.txt'] }, { 'a.txt': 'a' });
    expect([result.files_deleted_but_kept, text('a.txt')]).toEqual([['a.txt'], 'a']);
  });

  it.each([
    ['a link in place of the file', 'rm a.txt; ln -s /etc/passwd a.txt'],
    ['a link in place of its folder', 'rm -r d; ln -s /etc d'],
    ['a hard link', 'rm a.txt; echo x > b.txt; ln b.txt a.txt'],
    ['a pipe', 'rm a.txt; mkfifo a.txt'],
    ['a folder', 'rm a.txt; mkdir a.txt'],
    ['a link that leads round', 'rm a.txt; ln -s a.txt a.txt'],
  ])('keeps nothing where a program left %s', async (_, script) => {
    const recording = new Recording('shell');
    for (const path of ['a.txt', 'd/passwd', 'c.txt']) recording.files.set(path, Buffer.from('before'));
    const args = { command: sh(`echo changed > c.txt; ${script}`), files: ['c.txt', 'a.txt', 'd/passwd'] };
    await expect(shell.invoke(recording.context, args)).rejects.toMatchObject({ code: 'path_outside_workspace' });
    expect([...recording.files.values()].map(String)).toEqual(['before', 'before', 'before']);
  });

  it.each([
    ['a program that is not allowed', { command: ['rm', 'x'] }, 'program_not_allowed'],
    ['a path for a program', { command: '/bin/sh -c id' }, 'program_not_allowed'],
    ['a path outside', { command: 'cat ../../etc/passwd' }, 'path_outside_workspace'],
    ['an absolute path', { command: ['cat', '/etc/passwd'] }, 'path_outside_workspace'],
    ['a pipe', { command: 'cat a | sh' }, 'shell_syntax'],
    ['a substitution', { command: 'cat $(id)' }, 'shell_syntax'],
    ['a program that is not there', { command: 'no-such-program' }, 'program_not_started'],
  ])('refuses %s', async (_, args, code) => {
    await expect(record(shell, args)).rejects.toMatchObject({ code, retryable: false });
  });

  it('passes a list on as it is: nothing in it is syntax', async () => {
    const words = ['$HOME', '; echo pwned', '`id`', '*', '> out'];
    const script = 'process.stdout.write(JSON.stringify(process.argv.slice(1)))';
    const { result } = await run({ command: ['node', '-e', script, '--', ...words] });
    expect(JSON.parse(String(result.stdout))).toEqual(words);
  });

  it('ends a program that takes too long, and all that it started', async () => {
    const recording = new Recording('shell');
    const script = 'trap "" TERM; sleep 60 & echo $!; sleep 60; sleep 60';
    const ended = shell.invoke(recording.context, { command: sh(script), timeout_seconds: 1 });
    await expect(ended).rejects.toMatchObject({
      code: 'time_limit',
      details: { stdout: expect.stringMatching(/^\d+\n$/) },
    });
    await gone(Number(recording.outputs[0]?.[1]));
  });

  it('ends what a program left behind', async () => {
    const { result } = await run({ command: sh('sleep 60 > /dev/null 2>&1 & echo $!') });
    await gone(Number(result.stdout));
  });

  it('ends a program that writes without end', async () => {
    const loop =
      'while :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done';
    await expect(record(shell, { command: sh(loop) })).rejects.toMatchObject({ code: 'output_limit' });
  });

  it('ends with its call', async () => {
    const recording = new Recording('shell');
    const ended = shell.invoke(recording.context, { command: sh('echo $$; sleep 60') });
    ended.catch(() => {});
    for (let i = 0; i < 200 && recording.outputs.length === 0; i++) await sleep(25);
    recording.controller.abort(new Error('cancelled'));
    await expect(ended).rejects.toThrow('cancelled');
    await gone(Number(recording.outputs[0]?.[1]));
  });

  it('ends when the process of the tool is killed', async () => {
    const script = `
      import { GuardedProcess } from ${JSON.stringify(new URL('../src/tools/shell/guarded-process.ts', import.meta.url).href)};
      const child = new GuardedProcess({ program: 'sh', args: ['-c', 'echo $$; sleep 60'], cwd: '/', env: { PATH: process.env.PATH } });
      child.stdout.pipe(process.stdout);`;
    const args = ['--import', 'tsx', '--input-type=module', '-e', script];
    const host = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const [pid] = await once(host.stdout, 'data');
    expect(isAlive(Number(pid))).toBe(true);
    host.kill('SIGKILL');
    await gone(Number(pid));
  });
});

describe('in an executor', () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await Bench.start();
  });
  afterAll(() => bench.stop());

  it('is served where the operator says so: in a process of its own, after approval, and cancelled with all that it runs', async () => {
    expect([shell.isolation, shell.idempotent, shell.destructive, shell.approval]).toEqual([
      'process',
      false,
      true,
      'destructive',
    ]);
    await bench.process({ ...({ TOOLSTREAM_SHELL: '1' } as object), TOOLSTREAM_LEASE_MS: '1500' });
    const job = await bench.dispatch(
      'shell',
      { command: sh('echo $$; sleep 60') },
      { isolation: 'process', idempotent: false },
    );
    const output = await bench.until(job, 'tool.output.v1', 0, 20_000);
    const pid = Number(output.data.text);
    expect(isAlive(pid)).toBe(true);
    await bench.runEvent(job, 'run.cancel_requested.v1', { cause: 'command' });
    bench.signal(job);
    await bench.until(job, 'tool.cancelled.v1', 0, 15_000);
    await gone(pid);
  });

  it('is not served otherwise', async () => {
    await bench.stopExecutors();
    await bench.process({ TOOLSTREAM_LEASE_MS: '1500' });
    const job = await bench.dispatch('shell', { command: 'cat' }, { idempotent: false });
    expect((await bench.until(job, 'tool.failed.v1', 0, 20_000)).data.error.code).toBe('unknown_tool');
  });
});
