import { ApiError, ConnectionError, isFinal, ToolstreamError, tokenExpired } from './errors.ts';

/**
 * What a failed request says.
 * `fatal`: nobody with these credentials gets in. `refused`: this subscription is not to be. `trouble`: the service was
 * reached, and asks for patience. `unreached`: something is in the way.
 */
export type Verdict =
  | { readonly what: 'fatal'; readonly error: ToolstreamError }
  | { readonly what: 'refused'; readonly error: ApiError }
  | { readonly what: 'trouble'; readonly reason: string; readonly afterMs?: number }
  | { readonly what: 'unreached'; readonly reason: string };

export function judge(error: unknown): Verdict {
  if (error instanceof ApiError) {
    const { code, status, retryAfterMs } = error;
    // No answer in the service's own words: a proxy's.
    if (code.startsWith('http_')) return { what: 'unreached', reason: status >= 500 ? 'unreachable' : code };
    if (status === 401) return { what: 'fatal', error: code === 'token_expired' ? tokenExpired() : error };
    if (isFinal(error)) return { what: 'refused', error };
    return { what: 'trouble', reason: code, ...(retryAfterMs === undefined ? {} : { afterMs: retryAfterMs }) };
  }
  if (error instanceof ToolstreamError && error.code === 'token_expired') return { what: 'fatal', error };
  const reason = error instanceof ToolstreamError ? error.code : 'unreachable';
  return { what: reason === 'token_unavailable' ? 'trouble' : 'unreached', reason };
}

export const badAnswer = (path: string, type: string | null): ConnectionError =>
  new ConnectionError(
    'bad_answer',
    `${path} was answered with ${type ?? 'no type'}; something between has replaced it.`,
  );
