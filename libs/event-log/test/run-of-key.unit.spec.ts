import { isRunId } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { runIdOfKey } from '../src/index.ts';

const scope = { tenant: 'acme', app: 'shop', key: 'order 66' };

describe('the id of a run with an Idempotency-Key', () => {
  it('is the same for every repetition, on whatever machine', () => {
    expect(runIdOfKey(scope, 4)).toBe(runIdOfKey({ ...scope }, 4));
    expect(runIdOfKey(scope, 4)).toBe('3-0000000000P553QZPJPSPS87VB');
  });

  it('differs with tenant, app and key, also where their texts run together', () => {
    const ids = [
      scope,
      { ...scope, tenant: 'acm' },
      { tenant: 'acme', app: 'shopo', key: 'rder 66' },
      { ...scope, key: 'order 67' },
    ].map((s) => runIdOfKey(s, 1));
    expect(new Set(ids).size).toBe(4);
  });

  it('is a run id whose time part is zero and whose partition exists', () => {
    for (let i = 0; i < 200; i++) {
      const id = runIdOfKey({ ...scope, key: `k${i}` }, 3);
      expect(isRunId(id)).toBe(true);
      expect(id).toMatch(/^[012]-0{10}/);
    }
  });

  it('spreads keys over all partitions', () => {
    const seen = new Set(Array.from({ length: 100 }, (_, i) => runIdOfKey({ ...scope, key: `k${i}` }, 4)[0]));
    expect(seen.size).toBe(4);
  });
});
