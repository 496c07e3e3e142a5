import { AckPolicy, type ConsumerConfig, JetStreamApiError, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { JOB_BUCKETS, JOBS_STREAM, jobConsumer, jobConsumerFilter, PRIORITIES } from '@toolstream/proto-events';
import type { Source } from './plan.ts';

/** How often a job is delivered before the server gives it up and the orchestrator ends the tool. */
export const MAX_DELIVERIES = 5;
/** A cap on what one bucket may hold over all executors; far above what a healthy pool has in hand. */
const MAX_ACK_PENDING = 20_000;

const CONSUMER_EXISTS_WITH_OTHER_CONFIG = 10148;

export function jobSources(pool: string): Source[] {
  return PRIORITIES.flatMap((priority) =>
    Array.from({ length: JOB_BUCKETS }, (_, bucket) => ({
      name: jobConsumer(pool, priority, bucket),
      priority,
      bucket,
      hint: 0,
      open: 0,
      covered: false,
      heardAt: Number.NEGATIVE_INFINITY,
      usedAt: 0,
      blockedUntil: 0,
    })),
  );
}

/** Makes sure that the consumer exists and returns the lease that it really gives. Safe to call any number of times. */
export async function ensureJobConsumer(
  nc: NatsConnection,
  pool: string,
  source: Pick<Source, 'name' | 'priority' | 'bucket'>,
  leaseMs: number,
): Promise<number> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const config: Partial<ConsumerConfig> & { durable_name: string } = {
    durable_name: source.name,
    ack_policy: AckPolicy.Explicit,
    ack_wait: leaseMs * 1e6,
    max_deliver: MAX_DELIVERIES,
    max_ack_pending: MAX_ACK_PENDING,
    max_waiting: 4096,
    filter_subject: jobConsumerFilter(pool, source.priority, source.bucket),
  };
  try {
    await jsm.consumers.add(JOBS_STREAM, config);
    return leaseMs;
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== CONSUMER_EXISTS_WITH_OTHER_CONFIG) throw error;
    // Executors of one pool share the consumer: whoever made it first decided the lease, and all beat at its pace.
    const info = await jsm.consumers.info(JOBS_STREAM, source.name);
    return (info.config.ack_wait ?? leaseMs * 1e6) / 1e6;
  }
}
