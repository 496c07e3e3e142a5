import type { DeliveryReport } from '@toolstream/proto-events';
import { everyPart } from '../../../charts/series.ts';
import { atMost, samplesOf } from './histogram.ts';

export interface DeliveryRow {
  readonly at: number;
  readonly relayed: number;
  /** Of the events relayed: absent without any. */
  readonly lag_p95_ms: number | undefined;
  readonly returns: number;
  readonly repaired: number;
  readonly lost_steps: number;
}

/** Each part of the window in a row. */
export function deliveryRows({ at, window_ms, bucket_ms, buckets, lag_bounds_ms }: DeliveryReport): DeliveryRow[] {
  const window = { until: Date.parse(at), windowMs: window_ms, bucketMs: bucket_ms };
  return everyPart(buckets, window, (part, begins) => {
    const counts = part?.counts;
    return {
      at: begins,
      relayed: counts ? samplesOf(counts.relayed) : 0,
      lag_p95_ms: counts ? atMost(counts.relayed, lag_bounds_ms, 0.95) : undefined,
      returns: counts?.joined.cursor ?? 0,
      repaired: counts?.gaps.repaired ?? 0,
      lost_steps: counts ? counts.snapshots.gap + counts.snapshots.slow + counts.snapshots.epoch : 0,
    };
  });
}
