import { SignJWT } from 'jose';

/** What the edge reads from a token. */
export interface TokenClaims {
  sub: string;
  tenant: string;
  /** Space separated: runs:read runs:write runs:control admin. */
  scope: string;
  /** The apps that the token is good for, or all of its tenant's. */
  apps: readonly string[] | '*';
  jti?: string;
  /** Seconds from now; default: an hour. */
  expiresInSeconds?: number;
}

/** An HS256 token as the edge accepts it, signed with the secret that the edge was given. */
export function mintToken(secret: string, claims: TokenClaims): Promise<string> {
  const { expiresInSeconds = 3_600, ...payload } = claims;
  const now = Math.floor(Date.now() / 1_000);
  return new SignJWT(payload)
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuedAt(now)
    .setExpirationTime(now + expiresInSeconds)
    .sign(new TextEncoder().encode(secret));
}

/** May do everything in the tenant "dev" for 30 days: for the machine it was made on. */
export function mintDevelopmentToken(secret: string): Promise<string> {
  return mintToken(secret, {
    sub: 'dev',
    tenant: 'dev',
    scope: 'runs:read runs:write runs:control admin',
    apps: '*',
    expiresInSeconds: 30 * 24 * 3_600,
  });
}
