import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAX_CALLS, requestedCall, submitBody } from '@toolstream/proto-events';
import { decodeJwt } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { HelpWanted, readCommandLine } from '../src/command-line.ts';
import { secondsOf } from '../src/commands/token.ts';
import { EXIT, explain } from '../src/exit-codes.ts';
import { daysJson } from '../src/sample/days.ts';
import { sampleRun } from '../src/sample/sample-run.ts';
import { submissionOf } from '../src/submission.ts';
import { findTarget } from '../src/target.ts';

function dataDir(files: Record<string, string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'toolstream-cli-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  mkdirSync(join(dir, 'run'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(dir, name), content);
  return dir;
}
const SECRET = 'a-secret-that-is-long-enough-for-hs256';
const running = () => dataDir({ 'run/stack.json': '{"edges":["http://127.0.0.1:4411"]}', 'jwt-secret': `${SECRET}\n` });

describe('where a command goes', () => {
  it('is said by flags, else by the environment, else by the stack that runs here', async () => {
    const dir = running();
    const env = { TOOLSTREAM_DATA_DIR: dir };
    expect(findTarget({ url: 'https://a', token: 'x' }, { ...env, TOOLSTREAM_URL: 'https://b' })).toEqual({
      url: 'https://a',
      token: 'x',
    });
    expect(findTarget({}, { ...env, TOOLSTREAM_URL: 'https://b', TOOLSTREAM_TOKEN: 'y' })).toEqual({
      url: 'https://b',
      token: 'y',
    });
    const { url, token } = findTarget({}, env);
    expect(url).toBe('http://127.0.0.1:4411');
    const claims = decodeJwt(await (token as () => Promise<string>)());
    expect(claims).toMatchObject({ sub: 'dev', tenant: 'dev', apps: '*' });
  });

  it('is an error that says what to do when nothing runs', () => {
    const dir = dataDir({ 'jwt-secret': SECRET });
    expect(() => findTarget({ 'data-dir': dir }, {})).toThrow(`No stack is running in ${dir}. Start one with make up`);
    expect(() => findTarget({ url: 'https://a', 'data-dir': dataDir() }, {})).toThrow('No token');
    expect(() => findTarget({ url: 'localhost', token: 'x' }, {})).toThrow('http://');
    expect(findTarget({ token: 'x', 'data-dir': dir }, {}).url).toBe('http://localhost:4400');
  });
});

describe('what is handed over', () => {
  const openai = { id: 'a', type: 'function', function: { name: 'noop', arguments: '{}' } };

  it('is a body of POST /v1/runs as it is, with what flags say instead', () => {
    const body = { app: 'app-1', message_id: 7, tool_calls: [openai] };
    expect(submissionOf(JSON.stringify(body), 'f', {})).toEqual(body);
    const flags = { app: 'app-2', mode: 'parallel', 'message-id': 'm' };
    expect(submissionOf(JSON.stringify(body), 'f', flags)).toEqual({
      app: 'app-2',
      mode: 'parallel',
      message_id: 'm',
      tool_calls: [openai],
    });
  });

  it('is found in a model’s answer, which needs an app', () => {
    const answer = JSON.stringify({ role: 'assistant', tool_calls: [openai] });
    expect(submissionOf(answer, 'f', { app: 'app-1' })).toEqual({ app: 'app-1', tool_calls: [openai] });
    expect(() => submissionOf(answer, 'f', {})).toThrow('f names no app: add one with --app.');
  });

  it('is refused with one sentence when it cannot be meant', () => {
    expect(() => submissionOf('{', 'f', {})).toThrow('f is no JSON');
    expect(() => submissionOf('{"content":"hi"}', 'f', { app: 'a' })).toThrow('f asks for no tool calls.');
    expect(() => submissionOf('[{"id":1}]', 'f', { app: 'a' })).toThrow('f: Call 0');
    expect(() => submissionOf(JSON.stringify([openai]), 'f', { app: 'a', mode: 'random' })).toThrow(
      'random is no mode',
    );
  });
});

describe('the command line', () => {
  const spec = { name: 'watch', help: 'HELP', positionals: ['RUN'], options: { json: { type: 'boolean' } } } as const;

  it('gives options and arguments', () => {
    expect(readCommandLine(spec, ['r1', '--json'])).toMatchObject({ values: { json: true }, positionals: ['r1'] });
  });

  it('says in one sentence what is wrong, and where to read on', () => {
    expect(() => readCommandLine(spec, [])).toThrow('RUN is missing. See toolstream watch --help.');
    expect(() => readCommandLine(spec, ['a', 'b'])).toThrow('b is one argument too many. See toolstream watch --help.');
    expect(() => readCommandLine(spec, ['a', '--jason'])).toThrow(
      "Unknown option '--jason'. See toolstream watch --help.",
    );
    expect(() => readCommandLine(spec, ['--help'])).toThrow(HelpWanted);
  });

  it('reads spans of time', () => {
    expect(['30s', '15m', '12h', '7d'].map(secondsOf)).toEqual([30, 900, 43_200, 604_800]);
    for (const text of ['', '0s', '5', 'h', '1.5h', '-1h']) expect(() => secondsOf(text)).toThrow('is no time');
  });

  it('has an exit code for each kind of failure', () => {
    const named = (name: string, code: string) => Object.assign(new Error('Sentence.'), { name, code });
    expect(explain(named('ApiError', 'forbidden'))).toEqual({
      message: 'Sentence. (forbidden)',
      exitCode: EXIT.refused,
    });
    expect(explain(named('ConnectionError', 'unreachable')).exitCode).toBe(EXIT.unreachable);
    expect(explain(named('ToolstreamError', 'bad_cursor')).exitCode).toBe(EXIT.usage);
  });
});

describe('the sample run', () => {
  const body = submitBody.parse(JSON.parse(JSON.stringify(sampleRun('demo'))));
  const calls = body.tool_calls.map(requestedCall);

  it('is a body that the service takes, in which every call waits only for earlier ones', () => {
    expect(calls.length).toBeLessThan(MAX_CALLS);
    const seen = new Set<string>();
    for (const { call_id, depends_on } of calls) {
      for (const dependency of depends_on) expect(seen).toContain(dependency);
      expect(seen).not.toContain(call_id);
      seen.add(call_id);
    }
  });

  it('replaces lines that the files it wrote have', () => {
    const ofTool = (tool: string) => calls.filter(({ name }) => name === tool).map((call) => call.arguments);
    const writes = ofTool('os-write') as { file_path: string; content: string }[];
    const edits = ofTool('os-line-replace') as { file_path: string; search: string; first_replaced_line: number }[];
    expect(edits).toHaveLength(2);
    for (const { file_path, search, first_replaced_line } of edits) {
      const written = writes.find((write) => write.file_path === file_path)!;
      expect(written.content.split('\n')[first_replaced_line - 1]).toBe(search);
    }
  });

  it('has a calendar that is right', () => {
    const { days } = JSON.parse(daysJson(2024, 10)) as {
      days: { date: string; weekday: number; week: number; day_of_year: number }[];
    };
    expect(days).toHaveLength(3_653);
    const day = (date: string) => days.find((d) => d.date === date);
    expect(day('2024-02-29')).toMatchObject({ weekday: 4, week: 9, day_of_year: 60 });
    expect(day('2024-12-30')).toMatchObject({ weekday: 1, week: 1, day_of_year: 365 });
    expect(day('2027-01-01')).toMatchObject({ weekday: 5, week: 53, day_of_year: 1 });
  });
});
