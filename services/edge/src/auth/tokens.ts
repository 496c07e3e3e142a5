import { hash } from 'node:crypto';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { Refusal } from '../problems.ts';
import { CLOCK_TOLERANCE_S, isExpired, type Principal, principalOf } from './principal.ts';

const MAX_TOKEN_LENGTH = 16_384;
const ASYMMETRIC = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA', 'Ed25519'];

/** Turns a token into a principal, or refuses it as `unauthenticated`, `token_expired` or `token_revoked`. */
export interface TokenVerifier {
  verify(token: string | undefined): Promise<Principal>;
}

export interface TokenVerifierOptions {
  readonly secret?: string | undefined;
  readonly jwksUrl?: string | undefined;
  /** The longest time from `iat` to `exp`, in seconds: revocations are kept that long. */
  readonly maxAgeS?: number;
  readonly isRevoked?: (principal: Principal) => boolean;
  /** Milliseconds since the epoch; an argument for tests. */
  readonly now?: () => number;
}

/**
 * With a secret only HS256 is accepted, with a JWKS only asymmetric algorithms: a public key can never pass for a shared
 * secret. That a token was verified is remembered until it expires, so that a busy caller is not verified a thousand times
 * a second; the token itself, a secret of some hundred bytes, is not.
 */
export function tokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const { now = Date.now, maxAgeS = Number.POSITIVE_INFINITY, isRevoked = () => false } = options;
  const keys = keySources(options);
  const verified = new LRUCache<string, Principal>({ max: 2_000 });

  return {
    async verify(token) {
      if (token === undefined || token === '') throw new Refusal('unauthenticated', 'The request carries no token.');
      if (token.length > MAX_TOKEN_LENGTH) throw new Refusal('unauthenticated', 'The token is too long.');
      const digest = hash('sha256', token, 'base64');
      const known = verified.get(digest);
      if (known) {
        if (isRevoked(known)) throw new Refusal('token_revoked');
        if (!isExpired(known, now())) return known;
        verified.delete(digest);
        throw new Refusal('token_expired');
      }
      const principal = principalOf(await claimsOf(token, keys, new Date(now())));
      if (!principal) {
        throw new Refusal('unauthenticated', 'The token lacks a claim: it needs sub, tenant, scope, apps and exp.');
      }
      if (principal.exp - (principal.iat ?? now() / 1000) > maxAgeS) {
        throw new Refusal('unauthenticated', `The token lives too long: at most ${maxAgeS} s from iat to exp.`);
      }
      if (isRevoked(principal)) throw new Refusal('token_revoked');
      verified.set(digest, principal);
      return principal;
    },
  };
}

interface KeySource {
  readonly key: Uint8Array | JWTVerifyGetKey;
  readonly algorithms: string[];
}

function keySources({ secret, jwksUrl }: TokenVerifierOptions): KeySource[] {
  const sources: KeySource[] = [];
  if (secret !== undefined) sources.push({ key: new TextEncoder().encode(secret), algorithms: ['HS256'] });
  if (jwksUrl !== undefined) {
    sources.push({ key: createRemoteJWKSet(new URL(jwksUrl), { timeoutDuration: 3_000 }), algorithms: ASYMMETRIC });
  }
  return sources;
}

async function claimsOf(token: string, keys: readonly KeySource[], currentDate: Date): Promise<JWTPayload> {
  let refusal = new Refusal('unauthenticated', 'The token is not valid.');
  for (const { key, algorithms } of keys) {
    try {
      const options = { algorithms, currentDate, clockTolerance: CLOCK_TOLERANCE_S, requiredClaims: ['exp'] };
      const { payload } = await (typeof key === 'function'
        ? jwtVerify(token, key, options)
        : jwtVerify(token, key, options));
      return payload;
    } catch (error) {
      if (error instanceof errors.JWTExpired) throw new Refusal('token_expired');
      if (unreachable(error)) refusal = new Refusal('unavailable', 'The key set of the token issuer is not reachable.');
    }
  }
  throw refusal;
}

/** The issuer's keys could not be fetched: nobody's fault here, and no reason to send the caller to sign in again. */
const unreachable = (error: unknown): boolean =>
  error instanceof errors.JWKSTimeout ||
  error instanceof TypeError ||
  (error as { code?: string }).code === 'ERR_JOSE_GENERIC';
