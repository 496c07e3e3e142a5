import { type AllowList, parseAllowList } from './addresses.ts';

export interface FetchOptions {
  readonly allow: AllowList;
  /** Requests go through this proxy, which then must keep the rules itself: it is what connects. */
  readonly proxy?: string | undefined;
  /** Of one response, as it comes and decoded. */
  readonly maxResponseBytes: number;
  /** Of one request's body, which is held in memory so that a redirect can repeat it. */
  readonly maxRequestBytes: number;
  readonly maxRedirects: number;
  readonly connectTimeoutMs: number;
  /** From the request to the response's headers. */
  readonly headersTimeoutMs: number;
  /** Between two pieces of a body. */
  readonly idleTimeoutMs: number;
  /** From the request to the end of the body, redirects and all. */
  readonly totalTimeoutMs: number;
}

export const FETCH_DEFAULTS: FetchOptions = {
  allow: parseAllowList(''),
  maxResponseBytes: 32 * 1024 * 1024,
  maxRequestBytes: 32 * 1024 * 1024,
  maxRedirects: 5,
  connectTimeoutMs: 10_000,
  headersTimeoutMs: 180_000,
  idleTimeoutMs: 60_000,
  totalTimeoutMs: 600_000,
};

/** `TOOLSTREAM_FETCH_ALLOW`, `TOOLSTREAM_FETCH_PROXY` and `TOOLSTREAM_FETCH_MAX_BYTES`; throws a `TypeError` where one is wrong. */
export function fetchOptionsFrom(env: { readonly [name: string]: string | undefined }): FetchOptions {
  const { TOOLSTREAM_FETCH_ALLOW: allow, TOOLSTREAM_FETCH_PROXY: proxy, TOOLSTREAM_FETCH_MAX_BYTES: max } = env;
  const bytes = max ? Number(max) : FETCH_DEFAULTS.maxResponseBytes;
  if (!Number.isInteger(bytes) || bytes < 1) throw new TypeError(`${max} is no number of bytes`);
  if (proxy && !/^https?:\/\//.test(proxy)) throw new TypeError('the proxy must be an http: or https: address');
  return {
    ...FETCH_DEFAULTS,
    allow: parseAllowList(allow ?? ''),
    maxResponseBytes: bytes,
    ...(proxy ? { proxy } : {}),
  };
}
