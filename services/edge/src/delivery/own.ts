import type { DeliveryQuery, EdgeDelivery } from '@toolstream/proto-events';
import { newUlid } from '@toolstream/service-kit';
import type { Gauges } from '../metrics.ts';
import type { DeliveryRecorder } from './recorder.ts';

export interface OwnParts {
  readonly instance: string;
  readonly recorder: DeliveryRecorder;
  readonly gauges: () => Gauges;
}

/** What this edge says of itself. */
export function ownDelivery({ instance, recorder, gauges }: OwnParts): (query: DeliveryQuery) => EdgeDelivery {
  const id = newUlid();
  const started_at = new Date().toISOString();
  return (query) => {
    const { sockets, streams, subscriptions, feeds, waitingBytes } = gauges();
    const now = { sockets, streams, subscriptions, feeds, waiting_bytes: waitingBytes };
    return { id, instance, started_at, now, buckets: recorder.buckets(query) };
  };
}
