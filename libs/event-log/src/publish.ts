import {
  type Job,
  jobSubject,
  partitionOfRun,
  type Timer,
  timerDueSubject,
  timerScheduleSubject,
} from '@toolstream/proto-events';
import { APPEND_TIMEOUT_MS } from './append.ts';
import type { Channel } from './channel.ts';
import { type Delivery, deliver } from './deliver.ts';
import { LogFullError, LogRejectedError } from './errors.ts';
import { outcomeOfPublish } from './outcome.ts';
import { wireHeaders } from './wire-headers.ts';

const encoder = new TextEncoder();

export interface Published {
  seq: number;
  /** The stream had this message id within its duplicate window: nothing was stored again. */
  duplicate: boolean;
}

async function publish(channel: Channel, delivery: Omit<Delivery, 'interpret'>): Promise<Published> {
  const outcome = await deliver(channel, { ...delivery, interpret: outcomeOfPublish });
  if (outcome.kind === 'stored') return { seq: outcome.seq, duplicate: outcome.duplicate };
  if (outcome.kind === 'full') throw new LogFullError(delivery.what, outcome.reason);
  throw new LogRejectedError(delivery.what, 'reason' in outcome ? outcome.reason : outcome.kind);
}

/** Puts a job in its queue. Its id deduplicates for two minutes; many may be in flight at once. */
export function publishJob(channel: Channel, job: Job, timeoutMs = APPEND_TIMEOUT_MS): Promise<Published> {
  return publish(channel, {
    what: `job ${job.job_id}`,
    subject: jobSubject(job.pool, job.priority, job.tenant),
    payload: encoder.encode(JSON.stringify(job)),
    headers: wireHeaders([['Nats-Msg-Id', job.job_id]]),
    timeoutMs,
  });
}

/**
 * Sets a durable timer. It fires once, as a message on the due subject of the run's partition with the timer as
 * payload; a time in the past fires at once. Set again with another time it replaces the one that waits; with the same
 * time it does nothing within two minutes.
 */
export function publishTimer(channel: Channel, timer: Timer, timeoutMs = APPEND_TIMEOUT_MS): Promise<Published> {
  return publish(channel, {
    what: `timer ${timer.id}`,
    subject: timerScheduleSubject(timer.id),
    payload: encoder.encode(JSON.stringify(timer)),
    headers: wireHeaders([
      ['Nats-Schedule', `@at ${new Date(timer.due_at).toISOString()}`],
      ['Nats-Schedule-Target', timerDueSubject(partitionOfRun(timer.run) ?? 0)],
      ['Nats-Msg-Id', `${timer.id}@${timer.due_at}`],
    ]),
    timeoutMs,
  });
}
