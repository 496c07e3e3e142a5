import type { TransportName } from './transport.ts';

/**
 * The connection, which says nothing of any run: a run goes on while nobody is connected. `open` on any transport means that
 * frames arrive.
 */
export interface ConnectionState {
  readonly status: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
  /** What carries frames now, or is about to. */
  readonly transport: TransportName;
  /**
   * Why it is not open (`drain`, `unreachable`, `frozen`, `part_unavailable`, …), or not on the first transport
   * (`websocket_blocked`, `sse_blocked`).
   */
  readonly reason?: string;
  /** When the next attempt is due, in milliseconds since the epoch. */
  readonly retry_at?: number;
}

export const isSameState = (a: ConnectionState, b: ConnectionState): boolean =>
  a.status === b.status && a.transport === b.transport && a.reason === b.reason && a.retry_at === b.retry_at;
