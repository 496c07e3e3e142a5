import { Kvm } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { MESSAGES_BUCKET, messageKey, messagesBucketOptions } from '@toolstream/proto-events';
import type { HandRun } from '../hand-run.ts';

/** Says which run is a message's newest, as the orchestrator does when it accepts one. */
export async function linkOf(nc: NatsConnection) {
  const bucket = await new Kvm(nc).create(MESSAGES_BUCKET, { ...messagesBucketOptions });
  return {
    key: (message: string) => messageKey('t1', message),
    link: (key: string, { run, app }: HandRun, order: number) =>
      bucket.put(key, JSON.stringify({ run, app, accepted_at: new Date(Date.now() + order).toISOString() })),
  };
}
