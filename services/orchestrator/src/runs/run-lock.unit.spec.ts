import { describe, expect, it } from 'vitest';
import { RunLock } from './run-lock.ts';

const tick = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('the lock of a run', () => {
  it('lets one in at a time, in order, and commands first', async () => {
    const lock = new RunLock();
    const order: string[] = [];
    let inside = 0;
    const work = (name: string) => async () => {
      expect(++inside).toBe(1);
      order.push(name);
      await tick();
      inside--;
    };
    await Promise.all([
      lock.run(work('first')),
      lock.run(work('second')),
      lock.run(work('third')),
      lock.run(work('command'), { urgent: true }),
    ]);
    expect(order).toEqual(['first', 'command', 'second', 'third']);
  });

  it('says when a command waits', async () => {
    const lock = new RunLock();
    const held = lock.run(async () => {
      expect(lock.commandWaits).toBe(false);
      await tick();
      expect(lock.commandWaits).toBe(true);
    });
    const command = lock.run(tick, { urgent: true });
    await Promise.all([held, command]);
    expect(lock.commandWaits).toBe(false);
  });

  it('is free again after a failure', async () => {
    const lock = new RunLock();
    await expect(lock.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await expect(lock.run(async () => 'in')).resolves.toBe('in');
  });

  it('is handed over without anybody slipping in between', async () => {
    const lock = new RunLock();
    let inside = 0;
    const work = async () => {
      expect(++inside).toBe(1);
      await tick();
      inside--;
    };
    const first = lock.run(work);
    const second = lock.run(work);
    const third = first.then(() => lock.run(work));
    await Promise.all([first, second, third]);
  });
});
