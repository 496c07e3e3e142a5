/** Nanoseconds of the system's monotonic clock: the same in every process of one machine. */
export const now = (): number => Number(process.hrtime.bigint());

/** What to add to the monotonic clock's time to get the system's, in nanoseconds: it changes when the latter is set. */
export function wallClockAhead(): number {
  let least = Number.POSITIVE_INFINITY;
  // A tick of the system's clock in milliseconds is seen a little late, never early.
  for (let look = 0; look < 5; look++) {
    const before = Date.now();
    let tick = before;
    while (tick === before) tick = Date.now();
    least = Math.min(least, now() - tick * 1e6);
  }
  return -least;
}

/** `2026-01-31T10:00:00.123456789Z` as nanoseconds since 1970, to within a microsecond. */
export function nanosecondsOf(timestamp: string): number {
  const [, whole = '', fraction = ''] = /^(.{19})(?:\.(\d+))?Z$/.exec(timestamp) ?? [];
  return Date.parse(`${whole}Z`) * 1e6 + Number(fraction.padEnd(9, '0'));
}

/**
 * Calls `work` `rate` times a second for `seconds`, on schedule: what a late timer missed is made up at once, so the rate
 * holds whatever the machine does. Resolves with the number of calls.
 */
export function paced(rate: number, seconds: number, work: (index: number) => void): Promise<number> {
  const total = Math.round(rate * seconds);
  const startedAt = performance.now();
  let done = 0;
  return new Promise((resolve, reject) => {
    const timer = setInterval(
      () => {
        try {
          const due = Math.min(total, Math.floor(((performance.now() - startedAt) * rate) / 1000) + 1);
          while (done < due) work(done++);
        } catch (error) {
          clearInterval(timer);
          reject(error);
          return;
        }
        if (done < total) return;
        clearInterval(timer);
        resolve(done);
      },
      Math.max(1, Math.floor(1000 / rate)),
    );
  });
}
