import { EventLogError, LogRejectedError } from '@toolstream/event-log';
import type { CommandError, ErrorCode } from '@toolstream/proto-events';
import { ContentTooLargeError, StoreFullError, StoreUnavailableError } from '@toolstream/stores';
import { z } from 'zod';

export interface Refused {
  readonly ok: false;
  readonly error: CommandError;
}

const RETRY_AFTER_S = { busy: 1, unavailable: 2, log_full: 10 } as const;

export const refused = (code: ErrorCode, message: string, retry_after_s?: number): Refused => ({
  ok: false,
  error: { code, message, ...(retry_after_s === undefined ? {} : { retry_after_s }) },
});

export const notFound = (run: string): Refused => refused('not_found', `There is no run ${run}.`);

export const busy = (): Refused =>
  refused('busy', 'Others changed the run faster than this command could; send it again.', RETRY_AFTER_S.busy);

export const malformed = (error: z.ZodError): Refused =>
  refused('invalid', `The command is not as it must be: ${z.prettifyError(error)}`);

/** The answer to a failure of the log; anything else is a fault of this service and is thrown on. */
export function refusedByLog(error: unknown): Refused {
  if (!(error instanceof EventLogError) || error instanceof LogRejectedError) throw error;
  if (error.code === 'log_full') {
    return refused('log_full', 'The event log takes nothing more; an operator must make room.', RETRY_AFTER_S.log_full);
  }
  if (!error.retryable) throw error;
  return refused('unavailable', 'The event log did not answer in time; try again.', RETRY_AFTER_S.unavailable);
}

/** The answer where a large value could not be read or kept. */
export function refusedByStore(error: unknown): Refused {
  if (error instanceof ContentTooLargeError) return refused('invalid', 'The arguments are too large to be checked.');
  if (!(error instanceof StoreUnavailableError || error instanceof StoreFullError)) throw error;
  return refused(
    'unavailable',
    'The store of large values takes or answers nothing; try again.',
    RETRY_AFTER_S.unavailable,
  );
}

const BUCKET_TROUBLE = new Set([
  'TimeoutError',
  'NoRespondersError',
  'RequestError',
  'ClosedConnectionError',
  'JetStreamApiError',
  'JetStreamError',
]);

/** The answer where a bucket did not answer, or did with trouble of its own; `undefined` for anything else. */
export function refusedByBucket(error: unknown): Refused | undefined {
  if (!(error instanceof Error) || !BUCKET_TROUBLE.has(error.name)) return undefined;
  return refused('unavailable', 'The store of dead letters did not answer; try again.', RETRY_AFTER_S.unavailable);
}
