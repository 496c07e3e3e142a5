import { describe, expect, it } from 'vitest';
import { QueryRejection } from '../src/handlers/context.ts';
import { SharedAnswers } from '../src/handlers/shared-answers.ts';

function world(waiting = 3, kept = 2) {
  let now = 0;
  const begun: string[] = [];
  const ends: (() => void)[] = [];
  const answers = new SharedAnswers<string>({ waiting, kept, now: () => now });
  const ask = (key: string, fails = false) =>
    answers.get(key, 1_000, async () => {
      begun.push(key);
      await new Promise<void>((resolve) => ends.push(resolve));
      if (fails) throw new Error(`no ${key}`);
      return `${key}${begun.length}`;
    });
  const settle = async () => {
    for (let i = 0; i < 10; i++) await Promise.resolve();
  };
  return {
    ask,
    begun,
    pass: (ms: number) => {
      now += ms;
    },
    settle,
    end: async () => {
      await settle();
      ends.shift()?.();
      await settle();
    },
  };
}

describe('Shared answers', () => {
  it('are worked out one at a time, and once for whoever asks the same', async () => {
    const { ask, begun, end, settle } = world();
    const [a, again, b] = [ask('a'), ask('a'), ask('b')];
    await settle();
    expect(begun).toEqual(['a']);
    await end();
    await settle();
    expect(begun).toEqual(['a', 'b']);
    await end();
    expect(await Promise.all([a, again, b])).toEqual(['a1', 'a1', 'b2']);
  });

  it('are kept for a moment, and only the newest of them', async () => {
    const { ask, begun, end, pass } = world();
    const first = ask('a');
    await end();
    await first;
    pass(999);
    expect(await ask('a')).toBe('a1');
    pass(1);
    const second = ask('a');
    await end();
    expect(await second).toBe('a2');
    for (const key of ['b', 'c']) {
      const answer = ask(key);
      await end();
      await answer;
    }
    void ask('a');
    await end();
    expect(begun).toEqual(['a', 'a', 'b', 'c', 'a']);
  });

  it('that fail are not kept, and hold up nobody', async () => {
    const { ask, end } = world();
    const failing = ask('a', true);
    const refused = expect(failing).rejects.toThrow('no a');
    const other = ask('b');
    await end();
    await refused;
    await end();
    expect(await other).toBe('b2');
    const again = ask('a');
    await end();
    expect(await again).toBe('a3');
  });

  it('are refused when too many wait, and taken again afterwards', async () => {
    const { ask, end } = world(2);
    const waiting = [ask('a'), ask('b')];
    expect(() => ask('c')).toThrow(QueryRejection);
    expect(() => ask('a')).not.toThrow();
    await end();
    await end();
    await Promise.all(waiting);
    const c = ask('c');
    await end();
    expect(await c).toBe('c3');
  });
});
