import { mkdtempSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@toolstream/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Failure, literal, type Rails, startRails, type ToolMessage, write } from './rails.ts';
import { CHANGE, FILE, TURNS } from './turns.ts';

let rails: Rails;
beforeAll(async () => {
  rails = await startRails();
}, 900_000);
afterAll(() => rails?.stop());
afterEach(() => {
  rails.box.fate = () => ({ kind: 'pass' });
});

/** One process that runs one turn, as the application's job does. */
async function turn(app: string, id: string, calls: object[], env: Record<string, string> = {}, format = 'openai') {
  const { code, out, err } = await rails.ruby.run(
    [join(rails.ruby.example, 'bin', 'turn'), app, `m-${app}`, id, format],
    {
      env,
      stdin: JSON.stringify(calls),
    },
  );
  return { code, err, messages: (code === 0 ? JSON.parse(out) : []) as ToolMessage[] };
}
const contents = (messages: ToolMessage[]) => messages.map(({ content }) => JSON.parse(content) as object);

describe('The turn of a model', () => {
  it.each(['openai', 'anthropic'] as const)(
    'gives the same results whoever runs it, and the files are written, %s',
    async (format) => {
      const away = await turn(`there-${format}`, 't1', TURNS[format], {}, format);
      const here = await turn(`here-${format}`, 't1', TURNS[format], { TOOLSTREAM: 'off' }, format);
      expect([away.code, here.code], away.err + here.err).toEqual([0, 0]);
      expect(shape(here.messages)).toEqual(shape(away.messages));
      for (const app of [`there-${format}`, `here-${format}`])
        expect(rails.local(app, 'src/list.ts')).toBe('one\nzwei\nthree\n');
      expect(await rails.runsOf(`here-${format}`)).toEqual([]);
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
    expect(rails.local('refused-here', 'a.ts')).toBe(rails.local('refused-there', 'a.ts'));
    expect(readdirSync(join(rails.storage, 'apps', 'refused-here'))).toEqual(['a.ts']);
  });

  it('that is run again is the same run, with the same results', async () => {
    const first = await turn('twice', 't1', TURNS.openai);
    expect(await turn('twice', 't1', TURNS.openai)).toEqual(first);
    // The flag is for turns that have not begun.
    expect(await turn('twice', 't1', TURNS.openai, { TOOLSTREAM: 'off' })).toEqual(first);
    await rails.listed('twice', 1);
    const other = await turn('twice', 't2', [write('a', 'b.txt', 'x')]);
    expect(other.code).toBe(0);
    await rails.listed('twice', 2);
  });

  it('runs here when the service cannot be reached, and the next one there builds on its files', async () => {
    const nowhere = { TOOLSTREAM_URL: `http://127.0.0.1:${await freePort()}` };
    const raised = await turn('away', 't1', TURNS.openai, { ...nowhere, TOOLSTREAM_WHEN_AWAY: 'raise' });
    expect(raised).toMatchObject({ code: 1, err: expect.stringContaining('unreachable') });
    const here = await turn('away', 't1', TURNS.openai, nowhere);
    expect(here.code, here.err).toBe(0);
    expect(rails.local('away', 'src/list.ts')).toBe('one\nzwei\nthree\n');
    // It is back: this turn was run, and stays so.
    expect((await turn('away', 't1', TURNS.openai)).messages).toEqual(here.messages);
    expect(await rails.runsOf('away')).toEqual([]);
    const change = { ...CHANGE, search: 'zwei', replace: 'deux' };
    const next = await turn('away', 't2', [{ id: 'a', name: 'os-line-replace', arguments: change }]);
    expect(contents(next.messages)).toMatchObject([{ lines_written: 1 }]);
    expect(rails.local('away', 'src/list.ts')).toBe('one\ndeux\nthree\n');
  });

  it('runs here when it is one too many there', async () => {
    rails.box.fate = () => ({ kind: 'refuse', status: 429, headers: { 'retry-after': '0' } });
    const here = await turn('many', 't1', TURNS.openai);
    expect(here.code, here.err).toBe(0);
    expect(rails.local('many', 'src/list.ts')).toBe('one\nzwei\nthree\n');
  });

  it('does not run here when it may be running there', async () => {
    rails.box.fate = ({ method }) => ({ kind: method === 'POST' ? 'lose-answer' : 'pass' });
    const lost = await turn('doubt', 't1', TURNS.openai);
    expect(lost).toMatchObject({ code: 1, err: expect.stringContaining('unreachable') });
    expect(() => rails.local('doubt', 'src/list.ts')).toThrow('ENOENT');
    // Nor when nothing gets through any more, or the flag is off by now.
    const nowhere = { TOOLSTREAM_URL: `http://127.0.0.1:${await freePort()}`, TOOLSTREAM: 'off' };
    expect((await turn('doubt', 't1', TURNS.openai, nowhere)).code).toBe(1);
    expect(() => rails.local('doubt', 'src/list.ts')).toThrow('ENOENT');
    rails.box.fate = () => ({ kind: 'pass' });
    const back = await turn('doubt', 't1', TURNS.openai);
    expect(codes(back.messages)).toEqual([undefined, undefined, 'unknown_tool']);
    expect(rails.local('doubt', 'src/list.ts')).toBe('one\nzwei\nthree\n');
    await rails.listed('doubt', 1);
  });

  it('takes up the run that it was waiting for when the service went away', async () => {
    rails.box.fate = ({ method }) => (method === 'POST' ? { kind: 'pass' } : { kind: 'refuse', status: 502 });
    const interrupted = await turn('midway', 't1', TURNS.openai);
    expect(interrupted).toMatchObject({ code: 1, err: expect.stringContaining('http_502') });
    rails.box.fate = () => ({ kind: 'pass' });
    const done = await turn('midway', 't1', TURNS.openai);
    expect(codes(done.messages)).toEqual([undefined, undefined, 'unknown_tool']);
    await rails.listed('midway', 1);
  });

  it('says so when a wrong secret is configured, and runs nothing', async () => {
    const wrong = await turn('wrong', 't1', TURNS.openai, { TOOLSTREAM_JWT_SECRET: 'y'.repeat(40) });
    expect(wrong).toMatchObject({ code: 1, err: expect.stringContaining('unauthenticated') });
    expect(() => rails.local('wrong', 'src/list.ts')).toThrow('ENOENT');
    // Put right, it runs.
    expect((await turn('wrong', 't1', TURNS.openai)).code).toBe(0);
  });

  it('that was interrupted while it ran here goes on: what was answered stays, a replacement is not applied twice', async () => {
    const calls = [write('a', 'src/list.ts', FILE.content), { id: 'b', name: 'os-line-replace', arguments: CHANGE }];
    const outcome = await rails.ruby.evaluate<{ messages: ToolMessage[]; file: string }>(
      `
      $LOAD_PATH.unshift(${literal(join(rails.ruby.example, 'app', 'services'))})
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
    const outside = mkdtempSync(join(rails.storage, 'outside-'));
    symlinkSync(outside, join(rails.storage, 'apps', 'link', 'out'));
    const here = await turn('link', 't2', [write('a', 'out/b.txt', 'x')], { TOOLSTREAM: 'off' });
    expect(codes(here.messages)).toEqual(['path_outside_workspace']);
    expect(readdirSync(outside)).toEqual([]);
  });
});

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
