import { ApiError, ConnectionError, ToolstreamError } from '@toolstream/client';

export interface Explained {
  /** What happened. */
  readonly message: string;
  /** What to do about it. */
  readonly advice: string;
  /** The stable code, where there is one. */
  readonly code?: string;
}

/** Any error as a person needs it. What the service says is kept; what to do depends on the code. */
export function explain(error: unknown): Explained {
  if (error instanceof ApiError)
    return { message: sentence(error.message), advice: adviceFor(error.code, error.status), code: error.code };
  if (error instanceof ConnectionError)
    return {
      message: 'The service cannot be reached.',
      advice: 'Runs go on meanwhile. Check the network and that Toolstream is up; this page tries again by itself.',
      code: error.code,
    };
  if (error instanceof ToolstreamError)
    return { message: sentence(error.message), advice: adviceFor(error.code), code: error.code };
  if (isAdvised(error)) return { message: sentence(error.message), advice: error.advice, code: error.code };
  return {
    message: error instanceof Error ? sentence(error.message) : 'Something went wrong on this page.',
    advice: 'Reload the page. If it happens again, the browser’s console has the details.',
  };
}

/** An error of the page that knows itself what to do about it. */
const isAdvised = (error: unknown): error is Error & { advice: string; code: string } =>
  error instanceof Error && 'advice' in error && typeof error.advice === 'string' && 'code' in error;

function adviceFor(code: string, status?: number): string {
  switch (code) {
    case 'forbidden':
      return 'Your token lacks the scope or the app for this. Sign in with one that has it.';
    case 'unauthenticated':
    case 'token_expired':
      return 'Sign in again with a fresh token.';
    case 'not_found':
      return 'It may belong to another tenant, or its events may have been deleted. Check the address.';
    case 'run_ended':
    case 'tool_ended':
      return 'It has already ended, so there is nothing left to steer. Run it again instead.';
    case 'rate_limited':
      return 'Wait a moment, then try again.';
    case 'projection_behind':
      return 'The lists are catching up with the log. Try again in a few seconds.';
    case 'log_full':
      return 'The event log is full: free space or raise its limit, then try again.';
    default:
      return status !== undefined && status < 500
        ? 'Change what was asked for and try again.'
        : 'Try again in a moment.';
  }
}

function sentence(text: string): string {
  const trimmed = text.trim();
  if (trimmed === '') return 'Something went wrong.';
  const begun = trimmed.charAt(0).toUpperCase() + trimmed.slice(1);
  return /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}
