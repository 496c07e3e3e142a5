import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cursorAt, history, type Recorded, RUN } from '../../client/test/history.ts';
import { LocalEdge } from '../../client/test/local-edge.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const TSX = import.meta.resolve('tsx');

let edge: LocalEdge;
let log: Recorded[];
beforeEach(async () => {
  edge = await LocalEdge.start();
  log = history([3, 2], [0, 1]);
  edge.answer = ({ url = '' }, _, response) => {
    response.setHeader('content-type', 'application/json');
    if (url.endsWith('/results?format=anthropic')) response.end('{"format":"anthropic","messages":[{"role":"user"}]}');
    else if (url === '/v1/runs') response.writeHead(201).end(JSON.stringify({ run_id: RUN }));
    else if (url === `/v1/runs/${RUN}`) response.end('{}');
    else response.writeHead(404).end('{"code":"not_found","detail":"There is no such run."}');
  };
});
afterEach(() => edge.stop());

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function toolstream(
  args: string[],
  { input = '', interrupt }: { input?: string; interrupt?: () => boolean } = {},
): Promise<Ended> {
  const env = { ...process.env, TOOLSTREAM_URL: edge.url, TOOLSTREAM_TOKEN: 'a-token', NO_COLOR: '1' };
  const child = spawn(process.execPath, ['--conditions=toolstream', '--import', TSX, MAIN, ...args], { env });
  const ended: Ended = { code: null, out: '', err: '' };
  child.stdout.on('data', (data) => {
    ended.out += data;
  });
  child.stderr.on('data', (data) => {
    ended.err += data;
  });
  child.stdin.end(input);
  if (interrupt) void vi.waitUntil(interrupt, 30_000).then(() => child.kill('SIGINT'));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ ...ended, code }));
  });
}

describe('toolstream watch', () => {
  it('shows a run line by line where there is no terminal, and ends with its outcome', async () => {
    edge.append(RUN, ...log);
    const { code, out, err } = await toolstream(['watch', RUN, '--cursor', 'start']);
    expect(err).toBe('');
    expect(out.split('\n')[0]).toContain(`run ${RUN} of app app-1: 2 tool calls, accepted`);
    expect(out).toContain('0 os-write file-0.ts writing 0%');
    expect(out.trimEnd().split('\n').at(-1)).toContain('The run succeeded in 10 ms: 2 of 2 tool calls succeeded');
    expect(code).toBe(0);
  });

  it('writes one JSON object a line when asked to, and results on their own', async () => {
    edge.append(RUN, ...log);
    const json = await toolstream(['watch', RUN, '--cursor', 'start', '--json']);
    const items = json.out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; cursor: string });
    expect(items.map(({ type }) => type)).toEqual([...log.map(() => 'event'), 'end']);
    expect(items[0]?.cursor).toBe(cursorAt(log[0]!.seq));
    const results = await toolstream(['watch', RUN, '--results', 'anthropic']);
    expect(JSON.parse(results.out)).toEqual([{ role: 'user' }]);
  });

  it('leaves a run alone that it was watching when it is interrupted', async () => {
    edge.append(RUN, ...log.slice(0, 4));
    const watching = () => edge.frames('hello').length > 0;
    const { code, err } = await toolstream(['watch', RUN], { interrupt: watching });
    expect(code).toBe(130);
    expect(err).toBe(`Interrupted; the run goes on: toolstream watch ${RUN}\n`);
    expect(edge.frames('command')).toEqual([]);
  });

  it('says what is wrong in one sentence', async () => {
    const unknown = RUN.replace(/.$/, 'Z');
    expect(await toolstream(['watch', unknown])).toEqual({
      code: 4,
      out: '',
      err: 'There is no such run. (not_found)\n',
    });
    expect(await toolstream(['watch', 'r1'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^r1 is no run id.*\n$/),
    });
  });
});

describe('toolstream run', () => {
  const answer = JSON.stringify({
    role: 'assistant',
    content: [{ type: 'tool_use', id: 'a', name: 'noop', input: {} }],
  });

  it('hands over what it reads and follows the run', async () => {
    edge.append(RUN, ...log);
    const { code, out } = await toolstream(['run', '-', '--app', 'app-1', '--key', 'turn-1'], { input: answer });
    expect(code).toBe(0);
    expect(out).toContain('The run succeeded');
    expect(edge.requests[0]?.headers['idempotency-key']).toBe('turn-1');
    expect(JSON.parse(edge.requests[0]!.body)).toEqual({
      app: 'app-1',
      tool_calls: [{ type: 'tool_use', id: 'a', name: 'noop', input: {} }],
    });
  });

  it('prints the id and does not wait when told so', async () => {
    const { code, out } = await toolstream(['run', '-', '--app', 'app-1', '--no-watch'], { input: answer });
    expect({ code, out }).toEqual({ code: 0, out: `${RUN}\n` });
    expect(edge.peers).toHaveLength(0);
  });
});
