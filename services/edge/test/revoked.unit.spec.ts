import { describe, expect, it } from 'vitest';
import { Revoked, revocationKey } from '../src/auth/revoked.ts';

const AT = 1_700_000_000_500;
const caller = (claims: { sub?: string; tenant?: string; iat?: number; jti?: string } = {}) => ({
  sub: 'user-1',
  tenant: 't1',
  ...claims,
});

describe('a revoked user', () => {
  const revoked = new Revoked(60_000);
  revoked.set(revocationKey('t1', { sub: 'user-1' }), AT);

  it('loses the tokens issued up to that second, and those that do not say when they were issued', () => {
    expect(revoked.covers(caller({ iat: 1_699_999_000 }))).toBe(true);
    expect(revoked.covers(caller({ iat: 1_700_000_000 }))).toBe(true);
    expect(revoked.covers(caller())).toBe(true);
  });

  it('may use tokens issued later', () => {
    expect(revoked.covers(caller({ iat: 1_700_000_001 }))).toBe(false);
  });

  it('is nobody else, and nobody of another tenant', () => {
    expect(revoked.covers(caller({ sub: 'user-2' }))).toBe(false);
    expect(revoked.covers(caller({ tenant: 't2' }))).toBe(false);
  });

  it('stays revoked from the latest time when an older one is told after it', () => {
    const again = new Revoked(60_000);
    const key = revocationKey('t1', { sub: 'user-1' });
    expect(again.set(key, AT)).toBe(true);
    expect(again.set(key, AT - 5_000)).toBe(false);
    expect(again.covers(caller({ iat: 1_699_999_999 }))).toBe(true);
  });
});

describe('a revoked token', () => {
  it('is the one with that id, whenever it was issued', () => {
    const revoked = new Revoked(60_000);
    revoked.set(revocationKey('t1', { jti: 'a.b' }), AT);
    expect(revoked.covers(caller({ jti: 'a.b', iat: 1_800_000_000 }))).toBe(true);
    expect(revoked.covers(caller({ jti: 'a.c' }))).toBe(false);
    expect(revoked.covers(caller({ sub: 'a.b' }))).toBe(false);
    expect(revoked.covers(caller({ tenant: 't2', jti: 'a.b' }))).toBe(false);
  });
});

describe('revocations', () => {
  it('are forgotten when everything they cover has expired, not before', () => {
    const revoked = new Revoked(60_000);
    revoked.set(revocationKey('t1', { sub: 'user-1' }), AT);
    revoked.forget(AT + 60_000);
    expect(revoked.size).toBe(1);
    revoked.forget(AT + 60_001);
    expect(revoked.size).toBe(0);
  });

  it('have keys that a bucket accepts, whatever the names hold', () => {
    expect(revocationKey('t1', { sub: 'wörk@ex ample.com/*>' })).toMatch(/^t1\.sub\.[A-Za-z0-9_-]+$/);
    expect(revocationKey('t1', { sub: 'x' })).not.toBe(revocationKey('t1', { jti: 'x' }));
  });
});
