import { DELIVERY_BUCKETS, DELIVERY_SLOT_MS, type DeliveryReport, LAG_BOUNDS_MS } from '@toolstream/proto-events';
import { LRUCache } from 'lru-cache';
import type { Edges } from '../adapters/edges.ts';
import type { AppliedPosition, Projection } from '../adapters/projection.ts';
import type { EdgeLog } from '../feeds/log.ts';
import { together } from './together.ts';

/** How delivery goes in the whole system. */
export interface Delivery {
  report(windowMs: number): Promise<DeliveryReport>;
}

export interface DeliveryParts {
  readonly edges: Edges;
  readonly projection: Pick<Projection, 'positions'>;
  readonly log: Pick<EdgeLog, 'partitions' | 'epoch' | 'lastSeq'>;
}

/** Whoever looks within this time sees the same: a hundred open pages cost the edges one question. */
const KEPT_MS = 1_000;
const MAX_KEPT = 16;
const POSITIONS_MS = 500;

export function deliveryOf(parts: DeliveryParts): Delivery {
  const kept = new LRUCache<number, Promise<DeliveryReport>>({ max: MAX_KEPT, ttl: KEPT_MS });
  return {
    report(windowMs) {
      const known = kept.get(windowMs);
      if (known) return known;
      const report = compose(parts, windowMs);
      kept.set(windowMs, report);
      report.catch(() => kept.delete(windowMs));
      return report;
    },
  };
}

async function compose(parts: DeliveryParts, window_ms: number): Promise<DeliveryReport> {
  const { edges, projection, log } = parts;
  const bucket_ms = DELIVERY_SLOT_MS * Math.max(1, Math.ceil(window_ms / DELIVERY_SLOT_MS / DELIVERY_BUCKETS));
  const partitions = Array.from({ length: log.partitions }, (_, partition) => partition);
  const [{ answers, silent }, rows, lasts] = await Promise.all([
    edges.delivery({ window_ms, bucket_ms }),
    projection.positions(POSITIONS_MS).catch(() => undefined),
    Promise.all(partitions.map((partition) => log.lastSeq(partition))),
  ]);
  const positions = partitions.map((partition): LogPosition => {
    const row = rows?.find((each) => each.partition === partition && each.epoch === log.epoch(partition));
    return {
      partition,
      epoch: log.epoch(partition),
      // Read at the same time as the rows: these may be ahead of it.
      last_seq: Math.max(lasts[partition]!, row?.seq ?? 0),
      ...(rows === undefined ? {} : { projected_seq: row?.seq ?? 0 }),
    };
  });
  const now = Date.now();
  return {
    at: new Date(now).toISOString(),
    window_ms,
    bucket_ms,
    lag_bounds_ms: [...LAG_BOUNDS_MS],
    silent,
    ...together(answers),
    ...(rows === undefined ? {} : { projection: projectionLag(positions, rows, now) }),
    log: positions,
  };
}

type LogPosition = DeliveryReport['log'][number];

/** With nothing waiting the rows are as new as the log, however long ago the last event was. */
function projectionLag(positions: readonly LogPosition[], rows: readonly AppliedPosition[], now: number) {
  const behind = positions.filter(({ last_seq, projected_seq = 0 }) => last_seq > projected_seq);
  if (behind.length === 0) return { pending: 0, lag_ms: 0 };
  const pending = behind.reduce((sum, { last_seq, projected_seq = 0 }) => sum + last_seq - projected_seq, 0);
  const ages = behind.map(({ partition }) => {
    const at = rows.find((row) => row.partition === partition)?.event_at;
    return at === undefined ? null : Math.max(0, now - Date.parse(at));
  });
  return { pending, lag_ms: ages.includes(null) ? null : Math.max(...(ages as number[])) };
}
