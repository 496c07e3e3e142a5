const LOCAL = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/;

/**
 * Exact match, nothing else: no wildcard, no suffix. In development also pages from any port of this machine. Where `host` is
 * given, the host (with its port) that the request is for, its own pages too: the console is one of them.
 */
export type OriginCheck = (origin: string, host?: string) => boolean;

export function originCheck(allowed: readonly string[], development: boolean): OriginCheck {
  const exact = new Set(allowed.map((origin) => origin.replace(/\/$/, '')));
  return (origin, host) => exact.has(origin) || (development && LOCAL.test(origin)) || isOf(origin, host);
}

/** A proxy in front may end TLS, so the scheme that the page was loaded with is not known here. */
const isOf = (origin: string, host: string | undefined): boolean =>
  host !== undefined && host !== '' && (origin === `https://${host}` || origin === `http://${host}`);
