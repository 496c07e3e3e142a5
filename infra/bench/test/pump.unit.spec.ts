import { describe, expect, it } from 'vitest';
import { pump } from '../src/pump.ts';

/** A system that has done whatever was handed over one look later. */
function system() {
  const state = { submitted: 0, done: 0, most: 0 };
  return {
    state,
    submit: async () => {
      state.submitted++;
    },
    ended: async () => {
      state.most = Math.max(state.most, state.submitted - state.done);
      const before = state.done;
      state.done = state.submitted;
      return before;
    },
  };
}

describe('the pump', () => {
  it('hands over no more than it was told, and waits for all of it', async () => {
    const pumped = system();
    expect(await pump(pumped, { seconds: 10, unended: 4, atMost: 11 })).toMatchObject({ batches: 11 });
    expect(pumped.state).toMatchObject({ submitted: 11, done: 11 });
  });

  it('never has more under way than wished', async () => {
    const pumped = system();
    await pump(pumped, { seconds: 10, unended: 3, atMost: 20 });
    expect(pumped.state.most).toBeLessThanOrEqual(3);
  });

  it('ends with the first refusal', async () => {
    const pumped = { ...system(), submit: () => Promise.reject(new Error('refused: full')) };
    await expect(pump(pumped, { seconds: 10, unended: 3 })).rejects.toThrow('refused: full');
  });
});
