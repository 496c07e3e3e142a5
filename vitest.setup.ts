/**
 * The core takes time and chance as arguments. Lint keeps `Date` out of it, but `Math.random` cannot be told from
 * `Math.max` there: in unit tests of the core both throw.
 */
import { beforeEach } from 'vitest';

beforeEach(({ task }) => {
  const file = task.file.filepath;
  if (!file.includes('/libs/domain/') && !file.includes('/proto-events/')) return;
  const impure = (what: string) => () => {
    throw new Error(`${what} in the core: time and chance are arguments`);
  };
  const { random } = Math;
  const { now } = Date;
  Math.random = impure('Math.random');
  Date.now = impure('Date.now');
  return () => {
    Math.random = random;
    Date.now = now;
  };
});
