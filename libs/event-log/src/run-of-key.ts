import { createHash } from 'node:crypto';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const ZERO_TIME = '0'.repeat(10);

export interface IdempotencyScope {
  readonly tenant: string;
  readonly app: string;
  readonly key: string;
}

/**
 * The same for every repetition of a key: its random part is a hash of tenant, app and key, its time part is zero, and
 * its partition is a hash of the same. So a repetition meets the fence of the run's first event, wherever it arrives. With
 * another number of partitions a key may find another run: do not change that number while keys of before matter.
 */
export function runIdOfKey({ tenant, app, key }: IdempotencyScope, partitions: number): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([tenant, app, key]))
    .digest();
  const partition = hash.readUInt32BE(10) % partitions;
  return `${partition}-${ZERO_TIME}${base32(hash.subarray(0, 10))}`;
}

/** Crockford's base 32 of whole groups of five bytes. */
function base32(bytes: Buffer): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 5) {
    const group = bytes.readUIntBE(i, 5);
    for (let shift = 7; shift >= 0; shift--) text += CROCKFORD[Math.floor(group / 32 ** shift) % 32];
  }
  return text;
}
