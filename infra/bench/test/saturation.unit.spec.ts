import { describe, expect, it } from 'vitest';
import { type Load, saturate } from '../src/saturation.ts';

const offers = (answers: Record<number, Omit<Load, 'rate'> | undefined>) => {
  const asked: number[] = [];
  const offer = async (rate: number) => {
    asked.push(rate);
    const answer = answers[rate];
    return answer && { rate, ...answer };
  };
  return { asked, offer };
};

describe('the rate that saturates a server', () => {
  it('is the first one at which the server is busy', async () => {
    const { asked, offer } = offers({ 1: { busy: 0.5, late: false }, 2: { busy: 0.95, late: true } });
    expect(await saturate([1, 2, 4], offer)).toMatchObject({ load: { rate: 2 }, saturated: true });
    expect(asked).toEqual([1, 2]);
  });

  it('is not known when something else falls behind first', async () => {
    const { asked, offer } = offers({ 1: { busy: 0.3, late: false }, 2: { busy: 0.4, late: true } });
    expect(await saturate([1, 2, 4], offer)).toMatchObject({ load: { rate: 2 }, saturated: false });
    expect(asked).toEqual([1, 2]);
  });

  it('is not known when clients no longer take everything: the last rate that they took counts', async () => {
    const { offer } = offers({ 1: { busy: 0.3, late: false }, 2: undefined });
    expect(await saturate([1, 2, 4], offer)).toMatchObject({ load: { rate: 1 }, saturated: false });
    await expect(saturate([2], offer)).rejects.toThrow('too_slow');
  });
});
