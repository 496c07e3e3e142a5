import { describe, expect, it } from 'vitest';
import { callsOf } from '../src/calls.ts';
import { createClient } from '../src/client.ts';
import { appFold } from '../src/fold.ts';
import { readFrame } from '../src/frames.ts';
import { Part } from '../src/part.ts';
import { formatPlace, later, parsePlace, relation, START } from '../src/place.ts';
import { ItemQueue } from '../src/queue.ts';
import { createTokens, expiryOf } from '../src/tokens.ts';
import { accepted, anEvent, RUN } from './history.ts';

const place = (cursor: string) => parsePlace(cursor)!;

describe('the place of an app’s reader', () => {
  it('moves by partition', () => {
    const at = place('a.0:10,b.1:20');
    expect(relation(at, at, place('a.0:10,b.1:22'))).toBe('next');
    expect(relation(at, at, place('a.0:9,b.1:20'))).toBe('duplicate');
    expect(relation(at, place('a.0:11,b.1:20'), place('a.0:12,b.1:20'))).toBe('gap');
    expect(relation(at, at, place('a.0:10,c.1:1'))).toBe('foreign');
    expect(formatPlace(later(at, place('b.1:22,z.2:5')))).toBe('a.0:10,b.1:22,z.2:5');
  });

  it('takes a partition that is new as one that begins', () => {
    const at = place('a.0:10');
    expect(relation(at, at, place('a.0:10,b.1:1'))).toBe('next');
    expect(relation(at, place('a.0:10,b.1:1'), place('a.0:10,b.1:3'))).toBe('gap');
  });

  it('refuses what is no cursor', () => {
    expect(parsePlace('')).toBeUndefined();
    expect(parsePlace('0:41')).toBeUndefined();
    expect(parsePlace('start')).toBe(START);
  });
});

describe('the fold of an app', () => {
  const run = (n: number) => `0-01JQZX5M9G7V3T8R2KQWERTY${String(n).padStart(2, '0')}`;
  const ended = (n: number) => anEvent('run.cancelled.v1', { summary: {} }, { run: run(n) });

  it('lists runs newest first and follows each', () => {
    let state = appFold.apply(undefined, accepted(1, run(1)), 1)!;
    state = appFold.apply(state, accepted(1, run(2)), 2)!;
    state = appFold.apply(state, anEvent('run.started.v1', {}, { run: run(1) }), 3)!;
    expect(state.runs.map(({ run_id, status }) => [run_id, status])).toEqual([
      [run(2), 'accepted'],
      [run(1), 'running'],
    ]);
  });

  it('passes over events of runs that it does not list', () => {
    const state = appFold.apply(undefined, accepted(1, run(1)), 1)!;
    expect(appFold.apply(state, anEvent('run.started.v1', {}, { run: RUN }), 2)).toBe(state);
  });

  it('keeps a bounded number of runs that have ended', () => {
    let state = appFold.apply(undefined, accepted(0, run(0)), 1)!;
    for (let n = 1; n < 80; n++) {
      state = appFold.apply(state, accepted(0, run(n)), n * 2)!;
      state = appFold.apply(state, ended(n), n * 2 + 1)!;
    }
    expect(state.runs).toHaveLength(51);
    expect(state.runs[0]?.run_id).toBe(run(79));
    expect(state.runs.at(-1)?.run_id).toBe(run(0));
    expect(state.more).toBe(false);
  });
});

describe('a part that is loaded when it is needed', () => {
  it('is loaded once, for all who ask', async () => {
    let loads = 0;
    const part = new Part(async () => ++loads);
    expect(part.loaded).toBeUndefined();
    expect(await Promise.all([part.get(), part.get()])).toEqual([1, 1]);
    expect([await part.get(), part.loaded]).toEqual([1, 1]);
  });

  it('says so when it cannot be loaded, and is tried again for whoever asks next', async () => {
    let loads = 0;
    const part = new Part(async () => {
      if (++loads === 1) throw new TypeError('Failed to fetch');
      return loads;
    });
    await expect(part.get()).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'part_unavailable',
      message: expect.stringContaining('Failed to fetch'),
    });
    expect(await part.get()).toBe(2);
  });

  it('is not waited for by a request of a client that was closed', async () => {
    const client = createClient({ url: 'http://127.0.0.1:9', token: 'x' });
    const early = client.tools();
    client.close();
    await expect(early).rejects.toMatchObject({ code: 'client_closed' });
    await expect(client.tools()).rejects.toMatchObject({ code: 'client_closed' });
  });
});

describe('the queue behind for await', () => {
  it('hands over in order, also to a reader that came first', async () => {
    const queue = new ItemQueue<number>(10, () => {});
    const first = queue.next();
    queue.push(1);
    queue.push(2);
    queue.finish();
    expect([await first, await queue.next(), await queue.next()]).toEqual([
      { value: 1, done: false },
      { value: 2, done: false },
      { value: undefined, done: true },
    ]);
  });

  it('tells a reader that falls too far behind, after what it had queued', async () => {
    let left = false;
    const queue = new ItemQueue<number>(2, () => {
      left = true;
    });
    for (const n of [1, 2, 3, 4]) queue.push(n);
    expect(left).toBe(true);
    expect([(await queue.next()).value, (await queue.next()).value]).toEqual([1, 2]);
    await expect(queue.next()).rejects.toMatchObject({ code: 'slow_reader' });
    expect((await queue.next()).done).toBe(true);
  });

  it('ends when its reader breaks off', async () => {
    const queue = new ItemQueue<number>(2, () => {});
    queue.push(1);
    for await (const n of queue) if (n === 1) break;
    queue.push(2);
    expect((await queue.next()).done).toBe(true);
  });
});

describe('frames', () => {
  it('are read when they are of this protocol, and passed over otherwise', () => {
    expect(readFrame('{"type":"ping","time":"now"}')).toMatchObject({ type: 'ping' });
    for (const data of [
      '',
      'x',
      'null',
      '[]',
      '{"type":"toString"}',
      '{"type":"event","run":"r"}',
      new Uint8Array(1),
    ]) {
      expect(readFrame(data)).toBeUndefined();
    }
  });
});

describe('tokens', () => {
  const jwt = (exp: number) => `h.${btoa(JSON.stringify({ exp })).replace(/=+$/, '')}.s`;

  it('are asked for once at a time, and again when the last one runs out', async () => {
    let now = 0;
    let asked = 0;
    const tokens = createTokens(
      async () => jwt(++asked * 100),
      () => now,
    );
    expect(await Promise.all([tokens.get(), tokens.get()])).toEqual([jwt(100), jwt(100)]);
    expect(asked).toBe(1);
    now = 99_000;
    expect(await tokens.get()).toBe(jwt(200));
  });

  it('are not renewed twice for the same stale one', async () => {
    let asked = 0;
    const tokens = createTokens(
      () => `t${++asked}`,
      () => 0,
    );
    const stale = await tokens.get();
    expect(await tokens.renew(stale)).toBe('t2');
    expect(await tokens.renew(stale)).toBe('t2');
  });

  it('say when they expire, if they are JWTs', () => {
    expect(expiryOf(jwt(5))).toBe(5000);
    expect(expiryOf('opaque')).toBeUndefined();
    expect(expiryOf('a.%.c')).toBeUndefined();
  });
});

describe('the calls in a model’s answer', () => {
  const openai = { id: 'a', type: 'function', function: { name: 'os-write', arguments: '{"x":1}' } };
  const anthropic = { type: 'tool_use', id: 'a', name: 'os-write', input: { x: 1 } };

  it('are found in every shape that an API gives', () => {
    expect(callsOf({ choices: [{ message: { role: 'assistant', tool_calls: [openai] } }] })).toEqual([openai]);
    expect(callsOf({ role: 'assistant', content: null, tool_calls: [openai] })).toEqual([openai]);
    expect(callsOf({ role: 'assistant', content: [{ type: 'text', text: 'So:' }, anthropic] })).toEqual([anthropic]);
    expect(callsOf([openai])).toEqual([openai]);
    const response = {
      output: [{ type: 'reasoning' }, { type: 'function_call', call_id: 'a', name: 'os-write', arguments: '{}' }],
    };
    expect(callsOf(response)).toEqual([{ id: 'a', name: 'os-write', arguments: '{}' }]);
  });

  it('may be none, but never half one', () => {
    expect(callsOf({ role: 'assistant', content: 'Nothing to do.' })).toEqual([]);
    expect(() => callsOf([{ type: 'tool_use', id: 'a' }])).toThrow('Call 0');
  });
});
