import type { CloseCode, ErrorCode } from '@toolstream/proto-events';
import type { Revocations } from '../adapters/revocations.ts';
import { hasScope, type Principal } from '../auth/principal.ts';
import type { TokenVerifier } from '../auth/tokens.ts';
import { Refusal } from '../problems.ts';

export interface CredentialsParts {
  readonly tokens: TokenVerifier;
  readonly revocations: Pick<Revocations, 'covers'>;
}

/** Whom a connection speaks for: by the token in its hello, else by the ticket that its address had. */
export async function identify(
  token: string | undefined,
  ticket: Promise<Principal | Refusal> | undefined,
  { tokens, revocations }: CredentialsParts,
): Promise<Principal> {
  const principal = token !== undefined || !ticket ? await tokens.verify(token) : await ticket;
  if (principal instanceof Refusal) throw principal;
  // A ticket was redeemed when the connection came, which may be a while ago.
  if (revocations.covers(principal)) throw new Refusal('token_revoked');
  if (!hasScope(principal, 'runs:read') && !hasScope(principal, 'runs:control')) {
    throw new Refusal('forbidden', 'A connection needs the scope runs:read or runs:control.');
  }
  return principal;
}

/** A new token of the same caller. */
export async function renew(
  token: string,
  { tenant, sub }: Principal,
  { tokens }: Pick<CredentialsParts, 'tokens'>,
): Promise<Principal> {
  const principal = await tokens.verify(token);
  if (principal.tenant !== tenant || principal.sub !== sub) {
    throw new Refusal('forbidden', 'The token belongs to another caller: open a new connection.');
  }
  return principal;
}

const CLOSE_CODES: Partial<Record<ErrorCode, CloseCode>> = {
  token_expired: 4200,
  token_revoked: 4004,
  unauthenticated: 4001,
  forbidden: 4003,
  rate_limited: 4101,
};

/** How a refused greeting ends. */
export const closeCodeOf = ({ code }: Refusal): CloseCode => CLOSE_CODES[code] ?? 4103;
