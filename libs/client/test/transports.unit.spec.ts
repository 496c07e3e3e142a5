import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApiError, ConnectionError } from '../src/errors.ts';
import { Health } from '../src/health.ts';
import { type CommandFrame, HttpCommands } from '../src/http-commands.ts';
import { overall } from '../src/http-feed.ts';
import { Lines } from '../src/lines.ts';
import { SseParser } from '../src/sse-parser.ts';
import { judge } from '../src/verdict.ts';
import { watchSleep } from '../src/wake.ts';
import { RUN } from './history.ts';

/** The text in pieces, cut where the numbers say. */
function cut(text: string, at: readonly number[]): string[] {
  const places = [...new Set(at.map((n) => n % (text.length + 1)))].sort((a, b) => a - b);
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length));
}

describe('lines', () => {
  it('are the same whatever pieces they arrive in, and what has no end yet is none', () => {
    // Of all there is in Unicode, what a cut or an end could be mistaken for. (All of it takes a second to enumerate.)
    const line = fc.string({ unit: fc.constantFrom(...'a:" \t\0ä€𝄞\u0085\u2028\ufeff') });
    fc.assert(
      fc.property(
        fc.array(line),
        line,
        fc.array(fc.nat(2_000)),
        fc.constantFrom('\n', '\r\n'),
        (whole, rest, at, end) => {
          const lines = new Lines();
          const text = whole.map((one) => one + end).join('') + rest;
          expect(cut(text, at).flatMap((piece) => lines.push(piece))).toEqual(whole);
        },
      ),
      { seed: 20260101, numRuns: 200 },
    );
  });

  it('that never end are an error', () => {
    const lines = new Lines();
    const piece = 'x'.repeat(4 * 1024 * 1024);
    expect(() => Array.from({ length: 9 }, () => lines.push(piece))).toThrow('without an end');
  });
});

describe('an event stream', () => {
  const text =
    'retry: 2000\n\n:\n\nid: e.0:1\ndata: {"a":1}\n\n:\n\ndata: one\ndata:two\nevent: x\n\nretry: 7300\n\ndata: cut';

  it('is read the same whatever pieces it arrives in; a message that was cut off is none', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(200)), (at) => {
        const parser = new SseParser();
        expect(cut(text, at).flatMap((piece) => parser.push(piece))).toEqual(['{"a":1}', 'one\ntwo']);
        expect(parser.retryMs).toBe(7300);
      }),
      { seed: 20260101, numRuns: 100 },
    );
  });

  it('says when to come back only in a goodbye, not in its greeting', () => {
    const parser = new SseParser();
    parser.push('retry: 2000\n\nretry: soon\n\n');
    expect(parser.retryMs).toBeUndefined();
  });

  it('has no message without an end, in however many lines it comes', () => {
    const parser = new SseParser();
    const lines = `data: ${'x'.repeat(1024)}\n`.repeat(4096);
    const push = () => parser.push(lines);
    for (let n = 0; n < 7; n++) push();
    expect(parser.push('\n')).toHaveLength(1);
    for (let n = 0; n < 7; n++) push();
    expect(push).toThrow('without an end');
  });
});

describe('the health of a path', () => {
  it('is gone after two connections that never opened, or three that broke early', () => {
    const [unopened, short] = [new Health(), new Health()];
    unopened.failed('unopened');
    short.failed('short');
    short.failed('short');
    expect([unopened.blocked, short.blocked]).toEqual([false, false]);
    unopened.failed('unopened');
    short.failed('short');
    expect([unopened.blocked, short.blocked]).toEqual([true, true]);
  });

  it('is restored by a connection that holds; one that is only tried out is given no credit', () => {
    const health = new Health();
    health.failed('unopened');
    health.held();
    health.failed('unopened');
    expect(health.blocked).toBe(false);
    health.doubtful();
    expect(health.blocked).toBe(false);
    health.failed('short');
    expect(health.blocked).toBe(true);
  });
});

describe('a failed request', () => {
  const api = (status: number, code: string) => new ApiError(code, 'Sorry.', { status, retryAfterMs: 3_000 });

  it.each([
    [api(401, 'token_expired'), 'fatal'],
    [api(401, 'token_revoked'), 'fatal'],
    [api(404, 'not_found'), 'refused'],
    [api(403, 'forbidden'), 'refused'],
    [api(429, 'rate_limited'), 'trouble'],
    [api(503, 'busy'), 'trouble'],
    [api(403, 'http_403'), 'unreached'],
    [api(502, 'http_502'), 'unreached'],
    [new ConnectionError('unreachable', 'No.'), 'unreached'],
    [new ConnectionError('token_unavailable', 'No.'), 'trouble'],
    [new DOMException('Aborted', 'AbortError'), 'unreached'],
  ])('(%s) is judged by what it says of the way to the service', (error, what) => {
    expect(judge(error).what).toBe(what);
  });

  it('of a service that asks for patience says for how long', () => {
    expect(judge(api(503, 'busy'))).toEqual({ what: 'trouble', reason: 'busy', afterMs: 3_000 });
  });
});

describe('several subscriptions', () => {
  it('are connected when one of them is, and else wait for what is due first', () => {
    const waiting = (retry_at: number) => ({ status: 'waiting', reason: `r${retry_at}`, retry_at }) as const;
    expect(overall([])).toBeUndefined();
    expect(overall([waiting(1), { status: 'connecting' }, { status: 'open' }])).toEqual({ status: 'open' });
    expect(overall([waiting(2), waiting(1), waiting(3)])).toEqual(waiting(1));
  });
});

describe('commands as requests', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const frame = (id: string, run = RUN): CommandFrame => ({ type: 'command', id, run, command: 'pause', args: {} });

  function setUp(post: (frame: CommandFrame) => Promise<{ cursor: string }>) {
    const answers: string[] = [];
    const pending = new Set<string>();
    const commands = new HttpCommands({
      post,
      random: () => 0,
      isPending: (id) => pending.has(id),
      answered: ({ id }) => {
        pending.delete(id);
        answers.push(id);
      },
      refused: (id, { code }) => {
        pending.delete(id);
        answers.push(`${id} ${code}`);
      },
    });
    const carry = (...frames: CommandFrame[]) => {
      for (const one of frames) {
        pending.add(one.id);
        commands.carry(one);
      }
    };
    return { answers, pending, commands, carry };
  }

  it('go one after the other for each run, and beside each other for different runs', async () => {
    const under = new Map<string, (answer: { cursor: string }) => void>();
    const { answers, carry } = setUp(({ id }) => new Promise((resolve) => under.set(id, resolve)));
    const other = '0-01JQZX5M9G7V3T8R2KQWERTYAC';
    carry(frame('a'), frame('b'), frame('a'), frame('c', other));
    await vi.advanceTimersByTimeAsync(0);
    expect([...under.keys()]).toEqual(['a', 'c']);
    under.get('a')!({ cursor: 'e.0:1' });
    await vi.advanceTimersByTimeAsync(0);
    expect([...under.keys()]).toEqual(['a', 'c', 'b']);
    under.get('b')!({ cursor: 'e.0:2' });
    await vi.advanceTimersByTimeAsync(0);
    expect(answers).toEqual(['a', 'b']);
  });

  it('are repeated until they get through, and no other of the same run passes them', async () => {
    let down = true;
    const posted: string[] = [];
    const { answers, carry } = setUp(async ({ id }) => {
      posted.push(id);
      if (down) throw new ConnectionError('unreachable', 'No.');
      if (id === 'b') throw new ApiError('run_ended', 'Too late.', { status: 409 });
      return { cursor: 'e.0:1' };
    });
    carry(frame('a'), frame('b'));
    await vi.advanceTimersByTimeAsync(1_200);
    down = false;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(answers).toEqual(['a', 'b run_ended']);
    expect(posted.slice(0, -1).every((id) => id === 'a')).toBe(true);
  });

  it('that nobody waits for any more are dropped, and a transport that takes over leaves no timer', async () => {
    const posted: string[] = [];
    const { pending, commands, carry } = setUp(async ({ id }) => {
      posted.push(id);
      throw new ConnectionError('unreachable', 'No.');
    });
    carry(frame('a'), frame('b'));
    await vi.advanceTimersByTimeAsync(0);
    pending.delete('a');
    await vi.advanceTimersByTimeAsync(600);
    expect(posted).toEqual(['a', 'b']);
    commands.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('sleep', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function setUp() {
    const told: string[] = [];
    const document = Object.assign(new EventTarget(), { visibilityState: 'hidden' as DocumentVisibilityState });
    const around = Object.assign(new EventTarget(), { document });
    const clock = { ahead: 0 };
    const sleeper = {
      wake: () => void told.push('wake'),
      freeze: () => void told.push('freeze'),
      show: (shown: boolean) => void told.push(shown ? 'shown' : 'hidden'),
    };
    const stop = watchSleep(sleeper, around, () => Date.now() + clock.ahead);
    expect(told.splice(0)).toEqual(['hidden']);
    return { told, document, around, clock, stop };
  }

  it('ends when a tab is shown, not when it is hidden', () => {
    const { told, document } = setUp();
    document.dispatchEvent(new Event('visibilitychange'));
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    expect(told).toEqual(['hidden', 'shown', 'wake']);
  });

  it('begins when a page is frozen or kept for going back, and ends when it returns', () => {
    const { told, document, around } = setUp();
    const hide = (persisted: boolean) => around.dispatchEvent(Object.assign(new Event('pagehide'), { persisted }));
    hide(false);
    hide(true);
    around.dispatchEvent(new Event('pageshow'));
    document.dispatchEvent(new Event('freeze'));
    document.dispatchEvent(new Event('resume'));
    around.dispatchEvent(new Event('online'));
    expect(told).toEqual(['freeze', 'wake', 'freeze', 'wake', 'wake']);
  });

  it('of the machine is seen by a clock that has jumped', () => {
    const { told, clock } = setUp();
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([]);
    clock.ahead = 3_600_000;
    vi.advanceTimersByTime(5_000);
    expect(told).toEqual(['wake']);
  });

  it('is not watched any more afterwards', () => {
    const { told, document, around, stop } = setUp();
    stop();
    document.dispatchEvent(new Event('freeze'));
    around.dispatchEvent(new Event('online'));
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
