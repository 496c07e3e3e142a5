import { setTimeout as sleep } from 'node:timers/promises';
import { isToolFailure, type ToolContext, ToolFailure } from '@toolstream/tool-kit';
import {
  BrokenCircuitError,
  type CircuitBreakerPolicy,
  ConsecutiveBreaker,
  circuitBreaker,
  decorrelatedJitterGenerator,
  ExponentialBackoff,
  handleWhen,
} from 'cockatiel';

export interface ProviderOptions {
  /** Calls in a row that fail before the provider is left alone, and for how long. */
  readonly failuresToOpen: number;
  readonly openMs: number;
  readonly maxAttempts: number;
  readonly initialDelayMs: number;
  readonly maxDelayMs: number;
  /** Of one request, to the end of its answer. */
  readonly attemptTimeoutMs: number;
  /** Of all requests and the waiting between them. */
  readonly deadlineMs: number;
}

const DEFAULTS: ProviderOptions = {
  failuresToOpen: 5,
  openMs: 20_000,
  maxAttempts: 3,
  initialDelayMs: 250,
  maxDelayMs: 5_000,
  attemptTimeoutMs: 15_000,
  deadlineMs: 45_000,
};

export interface Retry {
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string;
}

/** A provider's refusal or breakdown: what to make of it is said by whoever knows its wire format. */
export class ProviderFault extends ToolFailure {
  readonly retryAfterMs: number | undefined;

  constructor(code: string, message: string, retryable: boolean, retryAfterMs?: number) {
    super({ code, message, retryable });
    this.retryAfterMs = retryAfterMs;
  }
}

/** Is it the provider, or the way there, that is out of order? A refusal of what was asked says nothing of the kind. */
const isOutOfOrder = (error: unknown): boolean => isToolFailure(error) && error.retryable;

/**
 * Calls of one provider: each with a deadline, tried again with jitter where that may help, and not made at all while
 * the provider has just failed many in a row. One per provider and process: its breaker is what all calls share.
 */
export class Provider {
  readonly name: string;
  readonly #options: ProviderOptions;
  readonly #breaker: CircuitBreakerPolicy;
  #openUntil = 0;

  constructor(name: string, options: Partial<ProviderOptions> = {}) {
    this.name = name;
    this.#options = { ...DEFAULTS, ...options };
    this.#breaker = circuitBreaker(handleWhen(isOutOfOrder), {
      halfOpenAfter: this.#options.openMs,
      breaker: new ConsecutiveBreaker(this.#options.failuresToOpen),
    });
    this.#breaker.onBreak(() => {
      this.#openUntil = Date.now() + this.#options.openMs;
    });
  }

  async call<T>(
    ctx: Pick<ToolContext, 'signal'>,
    request: (signal: AbortSignal) => Promise<T>,
    onRetry: (retry: Retry) => void = () => {},
  ): Promise<T> {
    const { maxAttempts, deadlineMs, attemptTimeoutMs } = this.#options;
    const end = Date.now() + deadlineMs;
    const delays = this.#delays();
    for (let attempt = 1; ; attempt++) {
      ctx.signal.throwIfAborted();
      try {
        const timeout = AbortSignal.timeout(Math.max(1, Math.min(attemptTimeoutMs, end - Date.now())));
        const signal = AbortSignal.any([ctx.signal, timeout]);
        return await this.#breaker.execute(() => request(signal).catch((error) => this.#told(error, ctx, timeout)));
      } catch (error) {
        if (error instanceof BrokenCircuitError) throw this.#leftAlone();
        const delayMs = Math.max(delays(), (error instanceof ProviderFault && error.retryAfterMs) || 0);
        if (!isOutOfOrder(error) || attempt >= maxAttempts || Date.now() + delayMs >= end) throw error;
        onRetry({ attempt, delayMs, reason: (error as Error).message });
        await sleep(delayMs, undefined, { signal: ctx.signal }).catch(() => {});
      }
    }
  }

  #told(error: unknown, { signal }: Pick<ToolContext, 'signal'>, timeout: AbortSignal): never {
    signal.throwIfAborted();
    if (isToolFailure(error)) throw error;
    if (timeout.aborted) throw new ProviderFault('provider_timeout', `${this.name} did not answer in time.`, true);
    throw error;
  }

  #leftAlone(): ToolFailure {
    const seconds = Math.max(1, Math.ceil((this.#openUntil - Date.now()) / 1000));
    return new ProviderFault(
      'provider_unavailable',
      `${this.name} failed several times in a row and is left alone for another ${seconds} s; try again then.`,
      true,
    );
  }

  #delays(): () => number {
    const { initialDelayMs: initialDelay, maxDelayMs: maxDelay } = this.#options;
    let backoff = new ExponentialBackoff({ generator: decorrelatedJitterGenerator, initialDelay, maxDelay }).next();
    return () => {
      const delay = backoff.duration;
      backoff = backoff.next(undefined);
      return Math.max(1, delay);
    };
  }
}

/** What an HTTP status means, for any provider: its own words come from its body. */
export function faultOf(provider: string, response: Response, words: string): ProviderFault {
  const { status } = response;
  const said = words === '' ? '' : ` It says: ${words.slice(0, 500)}`;
  const answered = `${provider} answered ${status}.${said}`;
  if (status === 401 || status === 403) {
    return new ProviderFault('provider_refused', `${answered} Check its API key and what the key may do.`, false);
  }
  if (status === 429) return new ProviderFault('rate_limited', answered, true, retryAfterOf(response));
  if (status === 408 || status >= 500) {
    return new ProviderFault('provider_unavailable', answered, true, retryAfterOf(response));
  }
  return new ProviderFault('provider_refused', answered, false);
}

function retryAfterOf({ headers }: Response): number | undefined {
  const text = headers.get('retry-after');
  if (text === null) return undefined;
  const seconds = Number(text);
  const ms = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(text) - Date.now();
  return Number.isFinite(ms) && ms > 0 ? ms : undefined;
}

/** A body as JSON; who answers something else is out of order. */
export async function jsonOf(provider: string, response: Response): Promise<unknown> {
  const text = await response.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new ProviderFault('provider_unavailable', `${provider} answered something that is not JSON.`, true);
  }
}

/** As {@link jsonOf}, but an error's body may be a proxy's page: that it is one matters less than the status. */
export async function jsonOrNothing(provider: string, response: Response): Promise<unknown> {
  if (response.ok) return jsonOf(provider, response);
  return jsonOf(provider, response).catch((error: unknown) => {
    if (error instanceof ProviderFault) return undefined;
    throw error;
  });
}
