import { ToolFailure } from '../failure.ts';

export const urlForbidden = (url: URL | string, why: string, allowable = true): ToolFailure =>
  new ToolFailure({
    code: 'url_forbidden',
    message:
      `${describe(url)} may not be fetched: ${why}.` +
      (allowable ? ' Only public addresses may; an operator can allow others with TOOLSTREAM_FETCH_ALLOW.' : ''),
  });

export const responseTooLarge = (url: URL, limit: number): ToolFailure =>
  new ToolFailure({
    code: 'response_too_large',
    message: `The response of ${describe(url)} has more than ${limit} bytes; fetch something smaller, or a part of it.`,
  });

export const tooManyRedirects = (url: URL, limit: number): ToolFailure =>
  new ToolFailure({
    code: 'too_many_redirects',
    message: `${describe(url)} is still redirected after ${limit} redirects; fetch the final address itself.`,
  });

export const badResponse = (url: URL, why: string): ToolFailure =>
  new ToolFailure({ code: 'bad_response', message: `${describe(url)} answered with ${why}.` });

/** What the network did: another try may well succeed. */
export function fetchFailed(url: URL, cause: unknown): ToolFailure {
  const { code, message } = deepest(cause);
  const timeout = /TIMEOUT|TIMEDOUT/.test(code ?? '');
  return new ToolFailure({
    code: timeout ? 'fetch_timeout' : 'fetch_failed',
    message: `${describe(url)} ${timeout ? 'did not answer in time' : 'could not be fetched'}: ${message || code}`,
    // A name that does not exist will not exist in a second either.
    retryable: code !== 'ENOTFOUND',
    cause,
  });
}

/** Without credentials, query and fragment: these may be secrets, and messages go far. */
function describe(url: URL | string): string {
  if (typeof url === 'string') return JSON.stringify(url.slice(0, 200));
  return `${url.protocol}//${url.host}${url.pathname}`.slice(0, 300);
}

function deepest(cause: unknown): { code: string | undefined; message: string } {
  if (!(cause instanceof Error)) return { code: undefined, message: String(cause) };
  const inner = cause instanceof AggregateError ? cause.errors[0] : cause.cause;
  if (inner instanceof Error) return deepest(inner);
  return { code: (cause as { code?: string }).code, message: cause.message };
}
