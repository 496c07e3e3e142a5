import { describe, expect, it } from 'vitest';
import { Turn } from './turn.ts';

const never = new AbortController().signal;

describe('A turn', () => {
  it('is one at a time, in the order of asking', async () => {
    const turn = new Turn();
    const order: number[] = [];
    const first = await turn.take(never);
    const others = [1, 2, 3].map(async (number) => {
      const leave = await turn.take(never);
      order.push(number);
      leave();
      leave();
    });
    expect(order).toEqual([]);
    first();
    await Promise.all(others);
    expect(order).toEqual([1, 2, 3]);
  });

  it('is not given to who gave up waiting', async () => {
    const turn = new Turn();
    const leave = await turn.take(never);
    const impatient = new AbortController();
    const waiting = turn.take(impatient.signal);
    const next = turn.take(never);
    impatient.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    leave();
    (await next)();
    (await turn.take(never))();
  });
});
