export const RETRY_MIN_MS = 500;
export const RETRY_MAX_MS = 20_000;
const LONGEST_HINT_MS = 10 * 60_000;

/** Full jitter between the floor and a ceiling that doubles: a thousand clients that were cut off together come back spread. */
export function retryDelay(attempt: number, random: number): number {
  const ceiling = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(attempt + 1, 10));
  return Math.round(RETRY_MIN_MS + random * (ceiling - RETRY_MIN_MS));
}

/** The service's hint on when to come back wins; one that it gives again and again is no reason to back off less. */
export function hinted(hintMs: number | undefined, attempt: number, delayMs: number): number {
  if (hintMs === undefined) return delayMs;
  return attempt === 0 ? Math.min(hintMs, LONGEST_HINT_MS) : Math.max(hintMs, delayMs);
}
