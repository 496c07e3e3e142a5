import { setTimeout as sleep } from 'node:timers/promises';
import { JetStreamApiError } from '@nats-io/jetstream';
import { errors } from '@nats-io/nats-core';
import { LogUnavailableError } from './errors.ts';

/** No leader, no JetStream yet, no answer: gone in seconds. */
export function isTransient(error: unknown): boolean {
  if (error instanceof errors.TimeoutError || error instanceof errors.RequestError) return true;
  // The client's name for "no responders" on the API: no JetStream, or no leader right now.
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') return true;
  return error instanceof JetStreamApiError && (error.status === 503 || error.status === 429);
}

export const hasApiCode = (error: unknown, code: number): boolean =>
  error instanceof JetStreamApiError && error.code === code;

/** For administration through the client's own API; the hot paths have their own way (see deliver.ts). */
export async function untilAvailable<T>(what: string, timeoutMs: number, work: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (let pause = 50; ; pause = Math.min(1_000, pause * 2)) {
    try {
      return await work();
    } catch (error) {
      if (!isTransient(error)) throw error;
      if (performance.now() + pause > deadline) {
        throw new LogUnavailableError(what, timeoutMs, (error as Error).message);
      }
    }
    await sleep(pause);
  }
}
