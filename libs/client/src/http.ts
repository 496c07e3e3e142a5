import { retryDelay } from './backoff.ts';
import {
  ApiError,
  ConnectionError,
  clientClosed,
  type FieldProblem,
  messageOf,
  type ToolstreamError,
} from './errors.ts';
import type { Tokens } from './tokens.ts';

export type FetchLike = (url: string, init: RequestInit) => Promise<Response>;

export interface HttpOptions {
  /** Without a trailing slash. */
  readonly baseUrl: string;
  readonly tokens: Tokens;
  readonly fetch: FetchLike;
  readonly random: () => number;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly body?: unknown;
  /** Makes a POST safe to repeat, and so repeated when its answer is lost. */
  readonly idempotencyKey?: string | undefined;
  readonly accept?: string;
  readonly signal?: AbortSignal | undefined;
  readonly timeoutMs?: number | undefined;
}

/** For a request with all its repetitions. */
const TIMEOUT_MS = 30_000;
const ATTEMPTS = 4;
const LONGEST_RETRY_MS = 30_000;

/** Requests with one answer: repeated where that is safe, with the service's own word on when; errors have codes. */
export class Http {
  readonly #options: HttpOptions;
  readonly #closed = new AbortController();

  constructor(options: HttpOptions) {
    this.#options = options;
  }

  /** An expired token is replaced; a fixed one cannot be. */
  get renewable(): boolean {
    return this.#options.tokens.renewable;
  }

  async json<T>(request: HttpRequest): Promise<T> {
    const response = await this.send(request);
    try {
      return (await response.json()) as T;
    } catch (cause) {
      throw new ConnectionError('bad_answer', `${request.path} answered with no JSON: ${messageOf(cause)}`, { cause });
    }
  }

  async send(request: HttpRequest): Promise<Response> {
    const repeatable = request.method === 'GET' || request.idempotencyKey !== undefined;
    const deadline = deadlineOf(request);
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.attempt(request, deadline);
      } catch (error) {
        const delay = delayBefore(error, attempt, this.#options.random());
        if (!repeatable || delay === undefined || attempt + 1 >= ATTEMPTS) throw error;
        // Repeating is part of the time that the caller gave: what could only fail late fails now.
        if (Date.now() + delay >= deadline) throw error;
        await this.#pause(delay, request.signal);
      }
    }
  }

  /** One try, and another with a fresh token where only that was wrong. Throws what {@link send} would repeat. */
  async attempt(request: HttpRequest, deadline = deadlineOf(request)): Promise<Response> {
    const { tokens } = this.#options;
    const token = await tokens.get();
    let outcome = await this.#once(request, token, deadline);
    if (!(outcome instanceof Response) && outcome.code === 'token_expired' && tokens.renewable)
      outcome = await this.#once(request, await tokens.renew(token), deadline);
    if (outcome instanceof Response) return outcome;
    throw outcome;
  }

  close(): void {
    this.#closed.abort();
  }

  async #once(request: HttpRequest, token: string, deadline: number): Promise<Response | ToolstreamError> {
    const { baseUrl, fetch } = this.#options;
    this.#check(request.signal);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), deadline - Date.now());
    try {
      const response = await fetch(urlOf(baseUrl, request), {
        method: request.method,
        headers: headersOf(request, token),
        signal: AbortSignal.any([late.signal, ...this.#endings(request.signal)]),
        ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      });
      return response.ok ? response : await refusalOf(response);
    } catch (cause) {
      this.#check(request.signal);
      const why = late.signal.aborted ? `no answer within ${timeoutOf(request) / 1000} s` : reasonOf(cause);
      return new ConnectionError('unreachable', `${baseUrl} cannot be reached: ${why}.`, { cause });
    } finally {
      clearTimeout(timer);
    }
  }

  /** What ends a request before its time. */
  #endings(signal: AbortSignal | undefined): AbortSignal[] {
    return [this.#closed.signal, ...(signal ? [signal] : [])];
  }

  #check(signal: AbortSignal | undefined): void {
    if (this.#closed.signal.aborted) throw clientClosed();
    signal?.throwIfAborted();
  }

  async #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const over = AbortSignal.any(this.#endings(signal));
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        over.removeEventListener('abort', done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      over.addEventListener('abort', done);
    });
    this.#check(signal);
  }
}

const timeoutOf = ({ timeoutMs = TIMEOUT_MS }: HttpRequest): number => timeoutMs;
const deadlineOf = (request: HttpRequest): number => Date.now() + timeoutOf(request);

/** How long to wait before the same request may succeed; `undefined` when it never will. */
function delayBefore(error: unknown, attempt: number, random: number): number | undefined {
  if (error instanceof ConnectionError && error.code === 'unreachable') return retryDelay(attempt, random);
  if (!(error instanceof ApiError) || ![429, 502, 503, 504].includes(error.status)) return undefined;
  const hint = error.retryAfterMs ?? 0;
  return hint > LONGEST_RETRY_MS ? undefined : Math.max(hint, retryDelay(attempt, random));
}

function urlOf(baseUrl: string, { path, query = {} }: HttpRequest): string {
  const pairs = Object.entries(query).flatMap(([key, value]) => (value === undefined ? [] : [[key, String(value)]]));
  return pairs.length === 0 ? baseUrl + path : `${baseUrl}${path}?${new URLSearchParams(pairs)}`;
}

function headersOf(request: HttpRequest, token: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    accept: request.accept ?? 'application/json',
    ...(request.body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(request.idempotencyKey === undefined ? {} : { 'idempotency-key': request.idempotencyKey }),
  };
}

/** An RFC 9457 problem, or whatever a proxy on the way made of it. */
async function refusalOf(response: Response): Promise<ApiError> {
  const text = await response.text().catch(() => '');
  let problem: { code?: unknown; detail?: unknown; title?: unknown; fields?: unknown } = {};
  try {
    problem = (JSON.parse(text) as typeof problem | null) ?? {};
  } catch {
    // No JSON: not from the service itself, and the status has to do.
  }
  const code = typeof problem.code === 'string' ? problem.code : `http_${response.status}`;
  const said = [problem.detail, problem.title].find((part) => typeof part === 'string') as string | undefined;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiError(code, said ?? `The service answered with status ${response.status}.`, {
    status: response.status,
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    fields: Array.isArray(problem.fields) ? (problem.fields as FieldProblem[]) : undefined,
  });
}

/** `fetch` hides the reason of a failure in the cause of its error. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const { code, message } = (cause ?? {}) as { code?: string; message?: string };
  return code ?? (message || messageOf(error));
}
