const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/** Exact match, nothing else: no wildcard, no suffix. In development also pages from any port of this machine. */
export type OriginCheck = (origin: string) => boolean;

export function originCheck(allowed: readonly string[], development: boolean): OriginCheck {
  const exact = new Set(allowed.map((origin) => origin.replace(/\/$/, '')));
  return (origin) => exact.has(origin) || (development && LOCAL.test(origin));
}
