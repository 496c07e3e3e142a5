import { describe, expect, it } from 'vitest';
import { Turns } from './turns.ts';

/** Whether a promise has settled, and to what. */
async function now<T>(promise: Promise<T>): Promise<T | 'waits'> {
  return Promise.race([promise, new Promise<'waits'>((resolve) => setImmediate(resolve, 'waits'))]);
}

describe('turns of a tool', () => {
  it('are as many as its limit says, in the order in which they were asked for', async () => {
    const turns = new Turns();
    const calls = [1, 2, 3, 4].map(() => turns.enter('a', 2));
    const states = () => Promise.all(calls.map(now));
    expect(await states()).toEqual([true, true, 'waits', 'waits']);
    turns.leave('a', 2);
    expect(await states()).toEqual([true, true, true, 'waits']);
    for (let i = 0; i < 3; i++) turns.leave('a', 2);
    expect(await now(turns.enter('a', 2))).toBe(true);
  });

  it('are none of another tool’s business, nor of one without a limit', async () => {
    const turns = new Turns();
    await turns.enter('a', 1);
    expect(await now(turns.enter('b', 1))).toBe(true);
    expect(await now(turns.enter('c', undefined))).toBe(true);
    turns.leave('c', undefined);
  });

  it('end for those that wait when the executor takes no more', async () => {
    const turns = new Turns();
    await turns.enter('a', 1);
    const waits = turns.enter('a', 1);
    turns.close();
    expect(await waits).toBe(false);
    expect(await turns.enter('a', 1)).toBe(false);
  });
});
