/** Every failure of the log carries a stable code; `retryable` says whether the same call may succeed later. */
export class EventLogError extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(code: string, message: string, options: { retryable: boolean; cause?: unknown }) {
    super(`${code}: ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.retryable = options.retryable;
  }
}

/**
 * Another writer won this place on the subject. An attempt stops for good; the orchestrator reads the run again and
 * decides again. Never re-read and append the same decision: that turns a zombie back into a writer.
 */
export class FencedError extends EventLogError {
  readonly subject: string;
  readonly expected: number;
  /** The subject's last sequence as the leader told it; absent where it did not. */
  readonly actual?: number;

  constructor(subject: string, expected: number, actual?: number) {
    const is = actual === undefined ? 'another one' : String(actual);
    super('fenced', `${subject} was expected to end at sequence ${expected} and ends at ${is}; stop writing to it.`, {
      retryable: false,
    });
    this.subject = subject;
    this.expected = expected;
    if (actual !== undefined) this.actual = actual;
  }
}

/** The stream refuses new messages because it reached its limit. Nothing was stored. */
export class LogFullError extends EventLogError {
  constructor(what: string, reason: string) {
    super('log_full', `${what} refuses new messages (${reason}); purge archived runs or raise its limit.`, {
      retryable: true,
    });
  }
}

/**
 * No answer before the deadline. For an append the outcome is unknown: append the same event (same id, same expected
 * sequence) again and the log settles it.
 */
export class LogUnavailableError extends EventLogError {
  constructor(what: string, timeoutMs: number, lastProblem: string) {
    super('unavailable', `${what} got no answer within ${timeoutMs} ms (last problem: ${lastProblem}); try again.`, {
      retryable: true,
    });
  }
}

/** The server will never take this message as it is: too large, wrong stream, no permission. */
export class LogRejectedError extends EventLogError {
  constructor(what: string, reason: string, cause?: unknown) {
    super('log_rejected', `${what} was refused: ${reason}. Correct the message or the stream's configuration.`, {
      retryable: false,
      cause,
    });
  }
}

/** Streams are not as this version needs them; lists every difference at once. */
export class StreamMismatchError extends EventLogError {
  readonly differences: readonly string[];

  constructor(differences: readonly string[], remedy: string) {
    super('stream_mismatch', `${differences.join('; ')}. ${remedy}`, { retryable: false });
    this.differences = differences;
  }
}

export const isConflict = (error: unknown): error is FencedError => error instanceof FencedError;
export const isRetryable = (error: unknown): boolean => error instanceof EventLogError && error.retryable;
