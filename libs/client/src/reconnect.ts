import { reconnectAfterClose } from '@toolstream/proto-events';
import { hinted, RETRY_MIN_MS, retryDelay } from './backoff.ts';

const LATER_ATTEMPTS = 2;

export type Reconnect = { readonly retry: false } | { readonly retry: true; readonly delay_ms: number };

/**
 * What a lost connection means. `attempt` counts connections that failed since the last one that held.
 * The service's hint wins: it has spread its clients already. 40xx: never; 41xx: later; 42xx: now, but a connection that
 * never holds backs off like any other.
 */
export function reconnectAfter(
  lost: { readonly code: number; readonly retry_ms?: number | undefined },
  attempt: number,
  random: number,
): Reconnect {
  const when = reconnectAfterClose(lost.code);
  if (when === 'never') return { retry: false };
  const backedOff = retryDelay(when === 'later' ? attempt + LATER_ATTEMPTS : Math.max(0, attempt - 1), random);
  const announced = lost.code >= 4200 && lost.code < 4300;
  const least = announced && attempt === 0 ? Math.round(random * RETRY_MIN_MS) : backedOff;
  return { retry: true, delay_ms: hinted(lost.retry_ms, attempt, least) };
}
