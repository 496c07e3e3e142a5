import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { originCheck } from '../src/auth/origins.ts';
import { hasScope, mayUseApp, principalOf } from '../src/auth/principal.ts';
import { tokenVerifier } from '../src/auth/tokens.ts';

const SECRET = 'a-secret-of-the-tests-with-enough-characters';
const NOW = 1_800_000_000_000;
const claims = { sub: 'u', tenant: 't1', scope: 'runs:read', apps: '*' };
const sign = (over: Record<string, unknown> = {}, exp = NOW / 1000 + 60, secret = SECRET) =>
  new SignJWT({ ...claims, ...over })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime(exp)
    .sign(new TextEncoder().encode(secret));

describe('a token with the shared secret', () => {
  let clock = NOW;
  const verifier = tokenVerifier({ secret: SECRET, now: () => clock });

  it('makes a principal of its claims', async () => {
    const token = await sign({ scope: 'runs:read unknown admin', apps: ['a', 'b'], jti: 'j' });
    expect(await verifier.verify(token)).toEqual({
      sub: 'u',
      tenant: 't1',
      scopes: ['runs:read', 'admin'],
      apps: ['a', 'b'],
      exp: NOW / 1000 + 60,
      jti: 'j',
    });
  });

  it('is refused once it has expired, also when it was verified before', async () => {
    const token = await sign();
    await verifier.verify(token);
    clock = NOW + 64_000;
    await verifier.verify(token);
    clock = NOW + 66_000;
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'token_expired' });
    clock = NOW;
  });

  it.each([
    ['none', undefined],
    ['an empty one', ''],
    ['no JWT', 'x.y.z'],
    ['a very long one', 'x'.repeat(20_000)],
  ])('%s is refused', async (_what, token) => {
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('without an end, a subject, apps or a tenant that is a subject token, is refused', async () => {
    for (const token of [
      await sign({ sub: undefined }),
      await sign({ apps: undefined }),
      await sign({ apps: 'all' }),
      await sign({ apps: ['a.b'] }),
      await sign({ tenant: 'a>b' }),
      await sign({}, NOW / 1000 + 60, 'another-secret-of-thirty-two-characters'),
    ]) {
      await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'unauthenticated' });
    }
    const endless = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode(SECRET));
    await expect(verifier.verify(endless)).rejects.toMatchObject({ code: 'unauthenticated' });
  });
});

describe('a token of an issuer with a key set', () => {
  let url = '';
  const { promise: keys, resolve } = Promise.withResolvers<Awaited<ReturnType<typeof generateKeyPair>>>();
  let status = 200;
  const server = createServer((_request, response) => {
    void keys.then(async ({ publicKey }) => {
      response.statusCode = status;
      response.end(JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256' }] }));
    });
  });
  beforeAll(async () => {
    resolve(await generateKeyPair('ES256'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`;
  });
  afterAll(() => server.close());
  const signed = async (alg = 'ES256') =>
    new SignJWT(claims)
      .setProtectedHeader({ alg, kid: 'k1' })
      .setExpirationTime(NOW / 1000 + 60)
      .sign((await keys).privateKey);

  it('is verified by the key, and never by a secret made of the public key', async () => {
    const verifier = tokenVerifier({ jwksUrl: url, now: () => NOW });
    expect(await verifier.verify(await signed())).toMatchObject({ sub: 'u' });
    const forged = await sign({}, NOW / 1000 + 60, JSON.stringify(await exportJWK((await keys).publicKey)));
    await expect(verifier.verify(forged)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is not refused as invalid while the key set cannot be fetched', async () => {
    const down = tokenVerifier({ jwksUrl: 'http://127.0.0.1:9/jwks', now: () => NOW });
    await expect(down.verify(await signed())).rejects.toMatchObject({ code: 'unavailable' });
    status = 500;
    const failing = tokenVerifier({ jwksUrl: url, now: () => NOW });
    await expect(failing.verify(await signed())).rejects.toMatchObject({ code: 'unavailable' });
  });
});

describe('a principal', () => {
  it('may do what its scopes say; admin may do everything in its apps', () => {
    const reader = principalOf({ ...claims, exp: 1 })!;
    expect(hasScope(reader, 'runs:read')).toBe(true);
    expect(hasScope(reader, 'runs:control')).toBe(false);
    const admin = principalOf({ ...claims, scope: 'admin', apps: ['a'], exp: 1 })!;
    expect(hasScope(admin, 'runs:write')).toBe(true);
    expect(mayUseApp(admin, 'a')).toBe(true);
    expect(mayUseApp(admin, 'b')).toBe(false);
  });
});

describe('origins', () => {
  it('are allowed by exact match only', () => {
    const allows = originCheck(['https://app.example.com', 'http://intranet:8080/'], false);
    expect(allows('https://app.example.com')).toBe(true);
    expect(allows('http://intranet:8080')).toBe(true);
    for (const origin of [
      'http://app.example.com',
      'https://app.example.com:444',
      'https://app.example.com.evil.org',
      'https://evil.org/https://app.example.com',
      'http://localhost:3000',
      'null',
      '',
    ]) {
      expect(allows(origin)).toBe(false);
    }
  });

  it('of the host itself are allowed where it is known, whichever scheme a proxy has ended', () => {
    const allows = originCheck([], false);
    expect(allows('https://runs.example.com', 'runs.example.com')).toBe(true);
    expect(allows('http://127.0.0.1:4400', '127.0.0.1:4400')).toBe(true);
    for (const [origin, host] of [
      ['https://runs.example.com', 'runs.example.com:4400'],
      ['https://runs.example.com.evil.org', 'runs.example.com'],
      ['https://evil.org', 'runs.example.com'],
      ['null', 'null'],
      ['https://', ''],
    ] as const) {
      expect(allows(origin, host)).toBe(false);
    }
    expect(allows('https://runs.example.com')).toBe(false);
  });

  it('of any port of this machine are allowed in development', () => {
    const allows = originCheck([], true);
    for (const origin of ['http://localhost:5173', 'https://localhost', 'http://127.0.0.1:1', 'http://[::1]:80']) {
      expect(allows(origin)).toBe(true);
    }
    for (const origin of ['http://localhost.evil.org', 'http://127.0.0.1.evil.org:80', 'http://localhost:x']) {
      expect(allows(origin)).toBe(false);
    }
  });
});
