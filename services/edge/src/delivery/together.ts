import type { DeliveryBucket, DeliveryCounts, DeliveryReport, EdgeDelivery } from '@toolstream/proto-events';
import { addCounts, emptyCounts, sumOf } from './counts.ts';

/** The figures of several edges, put together. */
export function together(edges: readonly EdgeDelivery[]): Pick<DeliveryReport, 'edges' | 'total' | 'buckets'> {
  const buckets = new Map<string, DeliveryCounts>();
  for (const { at, counts } of edges.flatMap((edge) => edge.buckets)) {
    const bucket = buckets.get(at) ?? emptyCounts();
    addCounts(bucket, counts);
    buckets.set(at, bucket);
  }
  return {
    edges: edges.map(figuresOf).sort(byInstance),
    total: sumOf(buckets.values()),
    buckets: [...buckets]
      .map(([at, counts]): DeliveryBucket => ({ at, counts }))
      .sort((a, b) => (a.at < b.at ? -1 : 1)),
  };
}

type EdgeFigures = DeliveryReport['edges'][number];

function figuresOf({ instance, started_at, now, buckets }: EdgeDelivery): EdgeFigures {
  const { relayed, acknowledged } = sumOf(buckets.map(({ counts }) => counts));
  return { instance, started_at, now, relayed, acknowledged };
}

const byInstance = (a: EdgeFigures, b: EdgeFigures): number =>
  a.instance < b.instance ? -1 : a.instance > b.instance ? 1 : a.started_at < b.started_at ? -1 : 1;
