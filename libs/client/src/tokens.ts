import { ConnectionError, messageOf, tokenExpired } from './errors.ts';

export type TokenOption = string | (() => string | Promise<string>);

/**
 * The token in use. A function is asked once at a time and only when its last answer is no longer good; a fixed token
 * that expired is never tried again, because no retry can succeed with it.
 */
export interface Tokens {
  readonly renewable: boolean;
  get(): Promise<string>;
  /** A token other than `stale`. */
  renew(stale: string): Promise<string>;
}

const ASK_TIMEOUT_MS = 30_000;
const NEARLY_EXPIRED_MS = 2_000;

export function createTokens(option: TokenOption, now: () => number): Tokens {
  if (typeof option === 'string') {
    return {
      renewable: false,
      get: async () => option,
      renew: async () => {
        throw tokenExpired();
      },
    };
  }
  let token: string | undefined;
  let asking: Promise<string> | undefined;
  const ask = (): Promise<string> => {
    asking ??= askFor(option)
      .then((answer) => {
        token = answer;
        return answer;
      })
      .finally(() => {
        asking = undefined;
      });
    return asking;
  };
  return {
    renewable: true,
    get: () => {
      const expires = token === undefined ? undefined : expiryOf(token);
      const good = token !== undefined && (expires === undefined || expires - NEARLY_EXPIRED_MS > now());
      return good ? Promise.resolve(token as string) : ask();
    },
    renew: (stale) => (token !== undefined && token !== stale ? Promise.resolve(token) : ask()),
  };
}

async function askFor(option: () => string | Promise<string>): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ASK_TIMEOUT_MS / 1000} s`)), ASK_TIMEOUT_MS);
  });
  try {
    return await Promise.race([(async () => option())(), late]);
  } catch (error) {
    throw new ConnectionError('token_unavailable', `The token function failed: ${messageOf(error)}.`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** When a JWT expires, in milliseconds, as far as it says so. Read, not verified: that is the service's part. */
export function expiryOf(token: string): number | undefined {
  const payload = token.split('.')[1];
  if (payload === undefined) return undefined;
  try {
    const { exp } = JSON.parse(atob(payload.replace(/-/g, '+').replace(/_/g, '/'))) as { exp?: unknown };
    return typeof exp === 'number' ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}
