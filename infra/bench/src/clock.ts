/** Nanoseconds of the system's monotonic clock: the same in every process of one machine. */
export const now = (): number => Number(process.hrtime.bigint());

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
