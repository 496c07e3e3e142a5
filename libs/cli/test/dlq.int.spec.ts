import { spawn } from 'node:child_process';
import { join } from 'node:path';
import type { DeadLetterItem } from '@toolstream/proto-events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RUN } from '../../client/test/history.ts';
import { LocalEdge } from '../../client/test/local-edge.ts';

const MAIN = join(import.meta.dirname, '..', 'src', 'main.ts');
const TSX = import.meta.resolve('tsx');
const ID = `${RUN}_0_1`;
const letter: DeadLetterItem = {
  id: ID,
  app: 'app-1',
  run_id: RUN,
  index: 0,
  call_id: 'c\u001b[31m0',
  name: 'deploy',
  pool: 'default',
  reason: 'max_deliveries',
  message: 'The job was delivered 5 times and never came to an end.',
  deliveries: 5,
  started: true,
  idempotent: false,
  at: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-31T00:00:00.000Z',
};
const redriven = { at: '2026-01-02T00:00:00.000Z', actor: 'ann', as: 'new_run', run_id: 'R2', cursor: 'e.0:9' };

let edge: LocalEdge;
beforeEach(async () => {
  edge = await LocalEdge.start();
  edge.answer = ({ method, url }, _, response) => {
    response.setHeader('content-type', 'application/json');
    if (url === '/v1/dlq?limit=1') response.end(JSON.stringify({ entries: [letter], next: '7' }));
    else if (url?.startsWith('/v1/dlq?') || url === '/v1/dlq') response.end('{"entries":[]}');
    else if (method === 'POST' && url === `/v1/dlq/${ID}/redrive`)
      response.writeHead(202).end(JSON.stringify({ id: ID, ...redriven }));
    else if (url === `/v1/dlq/${ID}`) response.end(JSON.stringify({ ...letter, arguments: { path: 'a' } }));
    else response.writeHead(404).end('{"code":"not_found","detail":"There is no such dead letter."}');
  };
});
afterEach(() => edge.stop());

function toolstream(...args: string[]): Promise<{ code: number | null; out: string; err: string }> {
  const env = { ...process.env, TOOLSTREAM_URL: edge.url, TOOLSTREAM_TOKEN: 'a-token', NO_COLOR: '1' };
  const child = spawn(process.execPath, ['--conditions=toolstream', '--import', TSX, MAIN, 'dlq', ...args], { env });
  let out = '';
  let err = '';
  child.stdout.on('data', (data) => {
    out += data;
  });
  child.stderr.on('data', (data) => {
    err += data;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
  });
}

describe('toolstream dlq', () => {
  it('lists dead letters a line each, says what is dangerous to repeat, and where the next page is', async () => {
    const { code, out, err } = await toolstream('list', '--limit', '1');
    expect(out).toBe(
      `${letter.at} ${ID} app-1 deploy (c0): ${letter.message} It had begun, and is not safe to repeat.\n`,
    );
    expect(err).toBe('There are more: toolstream dlq list --before 7\n');
    expect(code).toBe(0);
    expect((await toolstream('list', '--app', 'app-2')).out).toBe('There are no dead letters.\n');
    expect(edge.requests.at(-1)?.url).toBe('/v1/dlq?app=app-2');
    expect(JSON.parse((await toolstream('--json', 'list', '--limit', '1')).out)).toEqual(letter);
  });

  it('shows one with its arguments', async () => {
    expect(JSON.parse((await toolstream('show', ID)).out)).toEqual({ ...letter, arguments: { path: 'a' } });
  });

  it('redrives one and says where its call runs now', async () => {
    const { code, out } = await toolstream('redrive', ID, '--reason', 'fixed');
    expect(out).toContain('in the new run R2, because its own had ended');
    expect(out).toContain('toolstream watch R2');
    expect(code).toBe(0);
    expect(edge.requests.at(-1)).toMatchObject({ method: 'POST', body: '{"reason":"fixed"}' });
    expect(JSON.parse((await toolstream('redrive', ID, '--json')).out)).toEqual({ id: ID, ...redriven });
  });

  it('says what is wrong in one sentence', async () => {
    expect(await toolstream('redrive', ID.replace(/1$/, '2'))).toEqual({
      code: 4,
      out: '',
      err: 'There is no such dead letter. (not_found)\n',
    });
    const wrong: [string[], RegExp][] = [
      [[], /^ACTION is missing/],
      [['show'], /^ID is missing/],
      [['redrive', 'x'], /^x is no id of a dead letter/],
      [['purge'], /^purge is nothing to do/],
      [['list', '--limit', '0'], /^0 is no limit/],
    ];
    for (const [args, message] of wrong) {
      expect(await toolstream(...args)).toMatchObject({ code: 2, out: '', err: expect.stringMatching(message) });
    }
    expect((await toolstream('--help')).out).toContain('toolstream dlq ACTION');
  });
});
