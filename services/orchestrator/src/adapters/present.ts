import { randomBytes } from 'node:crypto';
import type { Present } from '../ports.ts';

/** Event ids are a prefix of this process and a count: unique without a random number for each. */
export function present(instance: string): Present {
  const prefix = `o_${randomBytes(9).toString('base64url')}`;
  let count = 0;
  return {
    now: () => new Date().toISOString(),
    random: Math.random,
    eventId: () => `${prefix}_${(count++).toString(36)}`,
    source: `toolstream/${instance}`,
  };
}
