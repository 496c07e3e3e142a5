import { setTimeout as delay } from 'node:timers/promises';
import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { StoreFullError, StoreUnavailableError } from './errors.ts';

/** How long one request may take before it is sent again. */
export const ANSWER_MS = 3_000;
/** R3 without a leader stalls for up to 7 s, a restarted server for a few: neither may fail a tool. */
export const PATIENCE_MS = 20_000;

const WRONG_SEQUENCE = 10071;
/** A change of the same subject under way; half an atomic batch, whose other half a broken connection took along. */
const IN_FLIGHT: ReadonlySet<number> = new Set([10158, 10164, 10176]);
const NO_ROOM: ReadonlySet<number> = new Set([10023, 10047, 10077]);

const apiCode = (error: unknown): number | undefined => (error instanceof JetStreamApiError ? error.code : undefined);

/** The fence refused: what is stored is not at the expected sequence. */
export const isWrongSequence = (error: unknown): boolean => apiCode(error) === WRONG_SEQUENCE;

const isFull = (error: unknown): boolean => {
  const code = apiCode(error);
  return code !== undefined && (NO_ROOM.has(code) || /maximum bytes|insufficient|no space/i.test(String(error)));
};

/** A stream without a leader, or a server without JetStream, answers as if nobody listened: that is the cause then. */
function isTransient(error: unknown): boolean {
  if (error instanceof JetStreamApiError) return IN_FLIGHT.has(error.code) || error.status === 503;
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return (
    cause instanceof errors.TimeoutError || cause instanceof errors.RequestError || cause instanceof JetStreamError
  );
}

/** What a failed request means. */
export interface Verdicts {
  readonly isFull: (error: unknown) => boolean;
  readonly isTransient: (error: unknown) => boolean;
}

/**
 * Sends the same request until it is answered or 20 s have passed. The request must be one that may arrive twice: a read, a
 * publish with a message id, or a fenced one whose refusal the caller settles.
 */
export function persist<T>(what: string, send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return persistWith({ isFull, isTransient }, what, send, { signal });
}

export async function persistWith<T>(
  verdicts: Verdicts,
  what: string,
  send: () => Promise<T>,
  {
    signal,
    patienceMs = PATIENCE_MS,
  }: { readonly signal?: AbortSignal | undefined; readonly patienceMs?: number | undefined },
): Promise<T> {
  const deadline = Date.now() + patienceMs;
  for (let tries = 0; ; tries++) {
    signal?.throwIfAborted();
    try {
      return await send();
    } catch (error) {
      signal?.throwIfAborted();
      if (verdicts.isFull(error)) throw new StoreFullError(what, { cause: error });
      if (!verdicts.isTransient(error)) throw error;
      const wait = Math.min(1_000, 25 * 2 ** tries) * (0.5 + Math.random() / 2);
      if (Date.now() + wait > deadline) {
        const reason = error instanceof Error ? error.message || error.name : String(error);
        const text = `The store did not answer for ${patienceMs / 1_000} s (${what}: ${reason}). Try again later.`;
        throw new StoreUnavailableError(text, { cause: error });
      }
      await delay(wait, undefined, signal === undefined ? {} : { signal }).catch(() => {});
    }
  }
}
