import { describe, expect, test } from 'vitest';
import { RestartPolicy } from '../../src/supervisor/restart-policy.ts';

describe('when a process is started again', () => {
  test('the first time at once, then later and later, but never as late as 2 seconds', () => {
    const policy = new RestartPolicy();
    const delays = Array.from({ length: 8 }, () => policy.nextDelayMs(50));
    expect(delays[0]).toBe(0);
    expect(delays).toEqual([...delays].sort((a, b) => a - b));
    expect(Math.max(...delays)).toBeLessThan(2_000);
  });

  test('at once again after it had been healthy', () => {
    const policy = new RestartPolicy();
    for (let end = 0; end < 5; end++) policy.nextDelayMs(50);
    expect(policy.nextDelayMs(60_000)).toBe(0);
    expect(policy.nextDelayMs(50)).toBeGreaterThan(0);
  });
});
