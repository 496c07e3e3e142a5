import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RETRY_MAX_MS, RETRY_MIN_MS, retryDelay } from '../src/backoff.ts';
import { reconnectAfter } from '../src/reconnect.ts';

describe('the delay before a retry', () => {
  it('lies between half a second and twenty seconds, whatever the attempt', () => {
    fc.assert(
      fc.property(fc.nat(10_000), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (attempt, random) => {
        const delay = retryDelay(attempt, random);
        expect(delay).toBeGreaterThanOrEqual(RETRY_MIN_MS);
        expect(delay).toBeLessThanOrEqual(RETRY_MAX_MS);
      }),
    );
  });

  it('spreads over a range that doubles', () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((attempt) => retryDelay(attempt, 1))).toEqual([
      1000, 2000, 4000, 8000, 16_000, 20_000, 20_000,
    ]);
    expect(retryDelay(9, 0)).toBe(RETRY_MIN_MS);
  });
});

describe('a lost connection', () => {
  it('with a code from 4000 to 4099 is not made again', () => {
    for (const code of [4000, 4001, 4003, 4008, 4099])
      expect(reconnectAfter({ code }, 0, 0.5)).toEqual({ retry: false });
    expect(reconnectAfter({ code: 4003, retry_ms: 10 }, 0, 0.5)).toEqual({ retry: false });
  });

  it('with a code from 4100 to 4199 is made again later', () => {
    expect(reconnectAfter({ code: 4102 }, 0, 1)).toEqual({ retry: true, delay_ms: 4000 });
  });

  it('with a code from 4200 to 4299 is made again at once, spread over half a second', () => {
    expect(reconnectAfter({ code: 4202 }, 0, 0)).toEqual({ retry: true, delay_ms: 0 });
    expect(reconnectAfter({ code: 4202 }, 0, 1)).toEqual({ retry: true, delay_ms: 500 });
  });

  it('that never held backs off, even when it may come back at once', () => {
    expect(reconnectAfter({ code: 4202 }, 4, 1)).toEqual({ retry: true, delay_ms: 8000 });
  });

  it('obeys the hint of the service, which has spread its clients already', () => {
    expect(reconnectAfter({ code: 4201, retry_ms: 7300 }, 0, 0.9)).toEqual({ retry: true, delay_ms: 7300 });
    expect(reconnectAfter({ code: 4102, retry_ms: 30_000 }, 3, 0.9)).toEqual({ retry: true, delay_ms: 30_000 });
  });

  it('without a code of the service backs off from the first delay', () => {
    expect(reconnectAfter({ code: 1006 }, 0, 1)).toEqual({ retry: true, delay_ms: 1000 });
  });
});
