import { reconnectAfterClose } from '@toolstream/proto-events';

export const RETRY_MIN_MS = 500;
export const RETRY_MAX_MS = 20_000;
const LATER_ATTEMPTS = 2;

/** Full jitter between the floor and a ceiling that doubles: a thousand clients that were cut off together come back spread. */
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt + 1, 10));
  return Math.round(RETRY_MIN_MS + random * (ceiling - RETRY_MIN_MS));
}

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
  if (lost.retry_ms !== undefined && attempt === 0)
    return { retry: true, delay_ms: Math.min(lost.retry_ms, 10 * 60_000) };
  const backedOff =
    when === 'later' ? retryDelay(attempt + LATER_ATTEMPTS, random) : retryDelay(Math.max(0, attempt - 1), random);
  if (lost.retry_ms !== undefined) return { retry: true, delay_ms: Math.max(lost.retry_ms, backedOff) };
  const announced = lost.code >= 4200 && lost.code < 4300;
  if (announced && attempt === 0) return { retry: true, delay_ms: Math.round(random * RETRY_MIN_MS) };
  return { retry: true, delay_ms: backedOff };
}
