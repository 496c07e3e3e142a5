import { z } from 'zod';
import type { SnapshotReason } from './frames.ts';
import { count, instant } from './values.ts';

/** Upper bounds, in milliseconds, of the cells that delays are counted in; one more cell holds what is above the last. */
export const LAG_BOUNDS_MS = [
  1, 2, 3, 5, 7, 10, 15, 25, 50, 75, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

/** The parts of time that an edge counts in: windows and the parts they are cut in are multiples of it. */
export const DELIVERY_SLOT_MS = 10_000;
/** What an edge remembers. */
export const MAX_DELIVERY_WINDOW_MS = 3_600_000;
/** How many parts a window is cut into at most. */
export const DELIVERY_BUCKETS = 30;

export const lagHistogram = z.object({
  /** Cell by cell of {@link LAG_BOUNDS_MS}, and what is above. */
  cells: z.array(count).length(LAG_BOUNDS_MS.length + 1),
  sum_ms: z.number().nonnegative(),
  max_ms: z.number().nonnegative(),
});
export type LagHistogram = z.infer<typeof lagHistogram>;

/** What edges did over some time. */
export const deliveryCounts = z.object({
  /** From an event stored to its relay, of those that came live. One sample per event and watched run or app. */
  relayed: lagHistogram,
  /** From an event to the answer of a client that has it, the way back included; sampled, not every event. */
  acknowledged: lagHistogram,
  /** Subscriptions by how they begin: with a snapshot, with the whole history, or behind a cursor: who comes back. */
  joined: z.object({ snapshot: count, start: count, cursor: count }),
  /** Losses between the log and an edge: repaired unseen, or announced by a snapshot. */
  gaps: z.object({ repaired: count, snapshot: count }),
  /** Snapshots sent, by reason. */
  snapshots: z.object({ cold: count, gap: count, slow: count, epoch: count } satisfies Record<
    SnapshotReason,
    typeof count
  >),
  /** Steps that clients which do not keep up came to. */
  slow: z.object({ fold: count, snapshot: count, close: count }),
  /** Attempts to connect. */
  connections: z.object({ accepted: count, refused: count }),
  /** WebSockets that an edge closed. */
  closed: count,
  /** Pages of history read from the log, each for all who ask at the time. */
  history_reads: count,
});
export type DeliveryCounts = z.infer<typeof deliveryCounts>;

/** What an edge holds at the moment. */
export const deliveryGauges = z.object({
  sockets: count,
  streams: count,
  subscriptions: count,
  /** Runs and apps that somebody watches. */
  feeds: count,
  /** Bytes that wait for clients. */
  waiting_bytes: count,
});
export type DeliveryGauges = z.infer<typeof deliveryGauges>;

/** The counts of the `bucket_ms` that begin at `at`, a multiple of it. Parts in which nothing happened are left out. */
export const deliveryBucket = z.object({ at: instant, counts: deliveryCounts });
export type DeliveryBucket = z.infer<typeof deliveryBucket>;

/** `ts.query.delivery`: every edge answers, so whoever asks gathers the answers for a moment. */
export const deliveryQuery = z.object({
  window_ms: z.number().int().min(DELIVERY_SLOT_MS).max(MAX_DELIVERY_WINDOW_MS),
  bucket_ms: z.number().int().multipleOf(DELIVERY_SLOT_MS).min(DELIVERY_SLOT_MS),
});
export type DeliveryQuery = z.infer<typeof deliveryQuery>;
export const deliveryQueryReply = z.object({
  /** This life of the edge: another one after a restart. */
  id: z.string(),
  instance: z.string(),
  started_at: instant,
  now: deliveryGauges,
  /** Oldest first. */
  buckets: z.array(deliveryBucket),
});
export type EdgeDelivery = z.infer<typeof deliveryQueryReply>;

/** What `GET /v1/delivery` answers: the figures of all edges together, and what the projection and the log say. */
export const deliveryReport = z.object({
  at: instant,
  window_ms: count,
  bucket_ms: count,
  /** The bounds of the cells of every histogram in here. */
  lag_bounds_ms: z.array(z.number()),
  /** The edges that answered. */
  edges: z.array(
    deliveryQueryReply.omit({ id: true, buckets: true }).extend({ relayed: lagHistogram, acknowledged: lagHistogram }),
  ),
  /** Edges that answered within the last minute and did not now: stopped, or too busy. What they did is missing. */
  silent: count,
  total: deliveryCounts,
  buckets: z.array(deliveryBucket),
  /** Absent when the projection does not answer. */
  projection: z.object({ pending: count, lag_ms: z.number().nullable() }).optional(),
  /** Per partition: the log's last sequence, and the one that the projection has come to, where it answers. */
  log: z.array(z.object({ partition: count, epoch: z.string(), last_seq: count, projected_seq: count.optional() })),
});
export type DeliveryReport = z.infer<typeof deliveryReport>;
