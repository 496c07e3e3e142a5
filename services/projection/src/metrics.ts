import type { Meter } from '@toolstream/service-kit';

export type PartitionMode = 'starting' | 'active' | 'standby' | 'diverged' | 'stopped';

/** What a partition's projector shows of itself. */
export interface PartitionStatus {
  readonly partition: number;
  readonly mode: PartitionMode;
  /** Why it is not active. */
  readonly reason?: string;
  /** Events of the log that are not applied yet, as of the last batch. */
  readonly pending: number;
  /** When the server stored the last event applied, in ms since 1970. */
  readonly appliedAt?: number;
}

export interface ProjectionMetrics {
  applied(partition: number, events: number, runs: number, seconds: number): void;
  unreadable(partition: number): void;
  takenOver(partition: number): void;
  lost(partition: number, cause: string): void;
}

export function projectionMetrics(meter: Meter, statuses: () => readonly PartitionStatus[]): ProjectionMetrics {
  const events = meter.createCounter('toolstream_projection_events', { description: 'Events applied' });
  const unreadable = meter.createCounter('toolstream_projection_unreadable_events', {
    description: 'Events passed over because they could not be decoded or folded; the log names each',
  });
  const takeovers = meter.createCounter('toolstream_projection_takeovers', { description: 'Partitions taken over' });
  const losses = meter.createCounter('toolstream_projection_interruptions', {
    description: 'Times that a partition had to begin again at its position, by cause',
  });
  const batchEvents = meter.createHistogram('toolstream_projection_batch_events', {
    description: 'Events in one transaction',
    advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000] },
  });
  const batchRuns = meter.createHistogram('toolstream_projection_batch_runs', {
    description: 'Runs written in one transaction',
    advice: { explicitBucketBoundaries: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000] },
  });
  const batchSeconds = meter.createHistogram('toolstream_projection_batch_duration_seconds', {
    description: 'From a batch taken to its commit',
    advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  const active = meter.createObservableGauge('toolstream_projection_active', {
    description: '1 where this instance projects the partition',
  });
  const diverged = meter.createObservableGauge('toolstream_projection_diverged', {
    description: '1 where rows and log do not belong together and an operator must decide',
  });
  const pending = meter.createObservableGauge('toolstream_projection_pending_events', {
    description: 'Events in the log that are not applied yet',
  });
  const lag = meter.createObservableGauge('toolstream_projection_lag_seconds', {
    description: 'Age of the last event applied while others wait; 0 when none does',
  });
  meter.addBatchObservableCallback(
    (observed) => {
      for (const status of statuses()) {
        const labels = { partition: status.partition };
        observed.observe(active, status.mode === 'active' ? 1 : 0, labels);
        observed.observe(diverged, status.mode === 'diverged' ? 1 : 0, labels);
        if (status.mode !== 'active') continue;
        observed.observe(pending, status.pending, labels);
        const age = status.appliedAt === undefined ? 0 : (Date.now() - status.appliedAt) / 1000;
        observed.observe(lag, status.pending > 0 ? Math.max(0, age) : 0, labels);
      }
    },
    [active, diverged, pending, lag],
  );
  return {
    applied(partition, count, runs, seconds) {
      events.add(count, { partition });
      batchEvents.record(count, { partition });
      batchRuns.record(runs, { partition });
      batchSeconds.record(seconds, { partition });
    },
    unreadable: (partition) => unreadable.add(1, { partition }),
    takenOver: (partition) => takeovers.add(1, { partition }),
    lost: (partition, cause) => losses.add(1, { partition, cause }),
  };
}
