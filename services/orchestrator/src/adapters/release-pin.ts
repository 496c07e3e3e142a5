import type { JetStreamManager } from '@nats-io/jetstream';
import { eventStream } from '@toolstream/proto-events';
import type { Feeds } from '../runs/feeds.ts';

/** The group that the log's pinned consumers use. */
const GROUP = 'replica';

/** Lets another replica react at once where this one did, instead of after the time without a sign of life. */
export async function releasePin(
  jsm: JetStreamManager,
  feeds: Feeds,
  partitions: number,
  durable: string,
): Promise<void> {
  for (let partition = 0; partition < partitions; partition++) {
    if (feeds.current(partition) === 0) continue;
    // Fail-over by time is what is left where this does not get through.
    await jsm.consumers.unpin(eventStream(partition), durable, GROUP).catch(() => false);
  }
}
