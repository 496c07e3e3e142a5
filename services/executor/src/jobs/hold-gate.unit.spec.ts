import { describe, expect, it } from 'vitest';
import { HoldGate } from './hold-gate.ts';

function gate() {
  const told: boolean[] = [];
  return { gate: new HoldGate((held) => told.push(held)), told };
}

describe('a hold gate', () => {
  it('lets everything through while it is open', () => {
    const { gate: open, told } = gate();
    expect(open.pass()).toBeUndefined();
    expect(told).toEqual([]);
  });

  it('holds calls while it is closed, and tells once when the holding begins and ends', async () => {
    const { gate: closed, told } = gate();
    closed.close();
    const held = [closed.pass(), closed.pass()];
    expect(closed.isHolding).toBe(true);
    closed.open();
    await Promise.all(held);
    expect(told).toEqual([true, false]);
  });

  it('knows whether everything that it holds has just been checkpointed', () => {
    const { gate: closed } = gate();
    closed.close();
    expect(closed.standsAtCheckpoint).toBe(false);
    void closed.pass({ checkpoint: true });
    expect(closed.standsAtCheckpoint).toBe(true);
    void closed.pass();
    expect(closed.standsAtCheckpoint).toBe(false);
  });

  it('throws its reason at whoever waits and whoever comes, for good', async () => {
    const { gate: broken } = gate();
    broken.close();
    const held = broken.pass();
    broken.break(new Error('stopped'));
    await expect(held).rejects.toThrow('stopped');
    broken.open();
    expect(() => broken.pass()).toThrow('stopped');
    expect(() => broken.check()).toThrow('stopped');
  });
});
