/** Every error of this client has a stable `code`. */
export class ToolstreamError extends Error {
  override readonly name: string = 'ToolstreamError';
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export interface FieldProblem {
  readonly path: string;
  readonly message: string;
}

/** The service refused: `code` is one of its codes, whether it came over HTTP or the socket. */
export class ApiError extends ToolstreamError {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** What in the request was wrong, where the service named it: `tool_calls[2].id`, and why. */
  readonly fields: readonly FieldProblem[];
  constructor(
    code: string,
    message: string,
    more: { status?: number; retryAfterMs?: number | undefined; fields?: readonly FieldProblem[] | undefined } = {},
  ) {
    super(code, message);
    this.status = more.status ?? 500;
    this.retryAfterMs = more.retryAfterMs;
    this.fields = more.fields ?? [];
  }
}

/** Asking again would be answered the same. */
export const isFinal = ({ status }: ApiError): boolean => status < 500 && status !== 429;

/** The service could not be reached, or the connection is over for good. */
export class ConnectionError extends ToolstreamError {
  override readonly name = 'ConnectionError';
}

export const clientClosed = (): ToolstreamError => new ToolstreamError('client_closed', 'The client was closed.');
export const tokenExpired = (): ToolstreamError =>
  new ToolstreamError('token_expired', 'The token has expired, and no function was given to fetch another.');
export const watchClosed = (): ToolstreamError => new ToolstreamError('watch_closed', 'The watch was closed.');

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
