import { jwtVerify } from 'jose';
import { describe, expect, test } from 'vitest';
import { mintDevelopmentToken, mintToken } from '../../src/token.ts';

const SECRET = 'a secret of at least 32 characters';
const verified = async (token: string, secret = SECRET) =>
  (await jwtVerify(token, new TextEncoder().encode(secret), { algorithms: ['HS256'] })).payload;

describe('a token', () => {
  test('carries its claims and its end, signed with the secret', async () => {
    const claims = { sub: 'ann', tenant: 't1', scope: 'runs:read', apps: ['app-1'], jti: 'j1' };
    const payload = await verified(await mintToken(SECRET, { ...claims, expiresInSeconds: 60 }));
    expect(payload).toMatchObject(claims);
    expect(payload.exp! - payload.iat!).toBe(60);
    expect(payload).not.toHaveProperty('expiresInSeconds');
  });

  test('is worth nothing under another secret', async () => {
    const token = await mintDevelopmentToken(SECRET);
    await expect(verified(token, `${SECRET}!`)).rejects.toThrow(/signature/);
  });

  test('for development may do everything in its tenant for 30 days', async () => {
    const payload = await verified(await mintDevelopmentToken(SECRET));
    expect(payload).toMatchObject({
      sub: 'dev',
      tenant: 'dev',
      apps: '*',
      scope: 'runs:read runs:write runs:control admin',
    });
    expect(payload.exp! - payload.iat!).toBe(30 * 24 * 3_600);
  });
});
