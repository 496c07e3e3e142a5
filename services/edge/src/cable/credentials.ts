import type { IncomingHttpHeaders } from 'node:http';
import type { Tickets } from '../adapters/tickets.ts';
import { hasScope, type Principal } from '../auth/principal.ts';
import type { TokenVerifier } from '../auth/tokens.ts';
import { Refusal } from '../problems.ts';

/** What a client may put into the address and the headers of `/cable`. */
export interface CableRequest {
  readonly query: Readonly<Record<string, unknown>>;
  readonly headers: IncomingHttpHeaders;
}

const TOKEN_PROTOCOL = 'anycable-token.';

/**
 * A ticket, or a token: in the address as `jid`, or among the subprotocols, where it never comes back in the answer. A
 * ticket is good for one connection, so it is for clients that fetch a new address every time.
 */
export async function identify(
  { query, headers }: CableRequest,
  { tickets, tokens }: { tickets: Tickets; tokens: TokenVerifier },
): Promise<Principal> {
  const ticket = text(query.ticket);
  const principal = ticket === undefined ? await tokens.verify(tokenOf(query, headers)) : await tickets.redeem(ticket);
  if (!hasScope(principal, 'runs:read')) throw new Refusal('forbidden', 'The channel needs the scope runs:read.');
  return principal;
}

function tokenOf(query: CableRequest['query'], headers: IncomingHttpHeaders): string | undefined {
  const offered = headers['sec-websocket-protocol']?.split(',').map((name) => name.trim()) ?? [];
  const carried = offered.find((name) => name.startsWith(TOKEN_PROTOCOL))?.slice(TOKEN_PROTOCOL.length);
  return carried ?? text(query.jid) ?? text(headers['x-jid']);
}

/** The session that an ext-json client wants back. */
export const sidOf = ({ query, headers }: CableRequest): string | undefined =>
  text(query.sid) ?? text(headers['x-anycable-restore-sid']);

const PAGE = /^[A-Za-z0-9_-]{16,64}$/;

/** A page's own nonce: long enough that no two pages choose the same. */
export function pageOf({ query }: CableRequest): string | undefined {
  const page = text(query.page);
  return page !== undefined && PAGE.test(page) ? page : undefined;
}

const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= 20_000 ? value : undefined;
