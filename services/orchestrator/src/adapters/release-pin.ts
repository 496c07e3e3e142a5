import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { eventStream } from '@toolstream/proto-events';
import { isConnected } from '@toolstream/service-kit';
import type { Feeds } from '../runs/feeds.ts';

/** The group that the log's pinned consumers use. */
const GROUP = 'replica';

/** Lets another replica react at once where this one did, instead of after the time without a sign of life. */
export async function releasePin(
  nc: NatsConnection,
  jsm: JetStreamManager,
  feeds: Feeds,
  partitions: number,
  durable: string,
): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    if (feeds.current(partition) === 0 || !isConnected(nc)) continue;
    // Fail-over by time is what is left where this does not get through.
    await jsm.consumers.unpin(eventStream(partition), durable, GROUP).catch(() => false);
  }
}
