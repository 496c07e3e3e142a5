import { setTimeout as sleep } from 'node:timers/promises';

/** Requests under way at once. */
const REQUESTS = 8;
const LOOK_EVERY_MS = 20;
const LATEST_END_MS = 60_000;

export interface Pumped {
  /** Hands over one batch; resolves when it is accepted. */
  submit(): Promise<void>;
  /** How many of the batches handed over are recorded as done. */
  ended(): Promise<number>;
  /** What is known about those that are not. */
  unended?(): Promise<string>;
}

export interface PumpWish {
  /** Batches are handed over for this long … */
  readonly seconds: number;
  /** … as long as fewer than this many have not ended. */
  readonly unended: number;
  /** No more than this many in all. */
  readonly atMost?: number;
}

export interface PumpResult {
  readonly batches: number;
  /** From the first request to the moment when the last batch's end was seen. */
  readonly seconds: number;
}

/** Keeps a system busy: always work in its queue, never more than it may hold, then waits for all of its ends. */
export async function pump(pumped: Pumped, wish: PumpWish): Promise<PumpResult> {
  const { seconds, unended, atMost = Number.POSITIVE_INFINITY } = wish;
  const startedAt = performance.now();
  const stopAt = startedAt + seconds * 1_000;
  let submitted = 0;
  let ended = 0;
  let failure: unknown;
  const requests = new Set<Promise<void>>();
  const mayGoOn = () => performance.now() < stopAt && submitted < atMost;
  while (mayGoOn() || requests.size > 0 || ended < submitted) {
    while (mayGoOn() && requests.size < REQUESTS && submitted - ended < unended) {
      submitted++;
      const request = pumped
        .submit()
        .catch((error: unknown) => {
          failure ??= error;
        })
        .finally(() => requests.delete(request));
      requests.add(request);
    }
    await Promise.race([sleep(LOOK_EVERY_MS), ...requests]);
    ended = await pumped.ended();
    if (failure !== undefined) throw failure;
    if (performance.now() > stopAt + LATEST_END_MS) {
      throw new Error(`not_ended: ${submitted - ended} of ${submitted} batches; ${(await pumped.unended?.()) ?? ''}`);
    }
  }
  return { batches: submitted, seconds: (performance.now() - startedAt) / 1_000 };
}
