import type { CloseCode, ErrorCode } from '@toolstream/proto-events';
import { EXT } from './wire.ts';

/** Why the edge ends a connection. */
export type Why =
  | 'unauthorized'
  | 'revoked'
  | 'expired'
  | 'invalid'
  | 'drain'
  | 'slow'
  | 'silent'
  | 'flood'
  | 'full'
  | 'unavailable';

export interface Farewell {
  readonly reason: string;
  readonly reconnect: boolean;
  readonly code: CloseCode;
}

const FAREWELLS: Readonly<Record<Why, Farewell>> = {
  unauthorized: { reason: 'unauthorized', reconnect: false, code: 4001 },
  revoked: { reason: 'unauthorized', reconnect: false, code: 4004 },
  expired: { reason: 'token_expired', reconnect: false, code: 4200 },
  invalid: { reason: 'invalid_request', reconnect: false, code: 4000 },
  drain: { reason: 'server_restart', reconnect: true, code: 4201 },
  slow: { reason: 'too_slow', reconnect: true, code: 4102 },
  silent: { reason: 'no_pong', reconnect: true, code: 4203 },
  flood: { reason: 'remote', reconnect: true, code: 4100 },
  full: { reason: 'remote', reconnect: true, code: 4101 },
  unavailable: { reason: 'server_restart', reconnect: true, code: 4103 },
};

/**
 * The words of each protocol. A v1 client whose token runs out may come back: its page may put a new token into the address
 * then, and one with the old token is told `unauthorized`, not to come back, at once.
 */
export function farewellTo(protocol: string, why: Why): Farewell {
  const farewell = FAREWELLS[why];
  if (protocol === EXT) return farewell;
  if (why === 'expired') return { ...farewell, reason: 'unauthorized', reconnect: true };
  return why === 'slow' || why === 'silent' ? { ...farewell, reason: 'remote' } : farewell;
}

/** How a refused greeting ends. */
export function whyOf(code: ErrorCode, protocol: string): Why {
  switch (code) {
    case 'token_expired':
      return protocol === EXT ? 'expired' : 'unauthorized';
    case 'token_revoked':
      return 'revoked';
    case 'unauthenticated':
    case 'forbidden':
      return 'unauthorized';
    case 'rate_limited':
      return 'full';
    default:
      return 'unavailable';
  }
}
