import { randomFillSync } from 'node:crypto';
import { ulid } from 'ulid';

const pool = new Uint8Array(4_096);
let taken = pool.length;

/** A new ULID of the system's randomness, which the library by itself asks for anew for each of its 16 characters. */
export const newUlid = (): string => ulid(undefined, random);

/** From 0 to below 1, in 256 steps: the library makes 32 of them. */
function random(): number {
  if (taken === pool.length) {
    randomFillSync(pool);
    taken = 0;
  }
  return (pool[taken++] ?? 0) / 256;
}
