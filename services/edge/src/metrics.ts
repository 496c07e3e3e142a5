import type { SnapshotReason } from '@toolstream/proto-events';
import type { Meter } from '@toolstream/service-kit';
import { recordLag } from './delivery/counts.ts';
import type { DeliveryRecorder } from './delivery/recorder.ts';
import type { FeedObserver } from './feeds/feed.ts';
import type { SlowStep } from './feeds/ladder.ts';

/** What the edge counts. Gauges are read when somebody scrapes. */
export interface EdgeMetrics extends FeedObserver {
  snapshot(reason: SnapshotReason): void;
  closed(code: number): void;
  /** What became of an attempt to connect: `accepted`, or the code of the refusal; and why. */
  connection(transport: string, outcome: string, reason: string): void;
  /** A client that does not keep up came to this step. */
  slow(step: SlowStep): void;
  /** Milliseconds from an event to a client's answer that proves that it has it; sampled, not every event. */
  acknowledged(lagMs: number): void;
  command(outcome: 'acked' | 'refused'): void;
  request(route: string, status: number, seconds: number): void;
  /** Percentiles over the newest samples of this process. */
  delivery(): DeliveryLag;
}

export interface DeliveryLag {
  samples: number;
  p50_ms: number | null;
  p95_ms: number | null;
}

export interface Gauges {
  readonly sockets: number;
  readonly streams: number;
  readonly subscriptions: number;
  readonly messages: number;
  readonly feeds: number;
  readonly ringBytes: number;
  readonly waitingBytes: number;
}

const SAMPLES = 2048;

/** `recorder` counts the same once more, for the figures of all edges together. */
export function edgeMetrics(meter: Meter, gauges: () => Gauges, recorder: DeliveryRecorder): EdgeMetrics {
  const snapshots = meter.createCounter('toolstream_edge_snapshots', { description: 'Snapshots sent, by reason' });
  const closes = meter.createCounter('toolstream_edge_closes', {
    description: 'WebSockets that the edge closed, by code',
  });
  const joins = meter.createCounter('toolstream_edge_joins', {
    description: 'Subscriptions, by how they begin: snapshot, start, or cursor (who comes back)',
  });
  const gaps = meter.createCounter('toolstream_edge_gaps', {
    description: 'Losses between the log and this process: repaired unseen, or announced by a snapshot',
  });
  for (const outcome of ['repaired', 'snapshot']) gaps.add(0, { outcome });
  const reads = meter.createCounter('toolstream_edge_history_reads', {
    description: 'Pages of history read from the log, each for all who ask at the time',
  });
  const slowSteps = meter.createCounter('toolstream_edge_slow_steps', {
    description: 'Steps that clients which do not keep up came to: fold, snapshot, close',
  });
  const acknowledged = meter.createHistogram('toolstream_edge_acknowledged_lag_seconds', {
    description: 'Time from an event to the answer of a client that has it',
    advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] },
  });
  const connections = meter.createCounter('toolstream_edge_connections', {
    description: 'Attempts to connect, by what became of them',
  });
  const commands = meter.createCounter('toolstream_edge_commands', { description: 'Commands over WebSockets' });
  const lag = meter.createHistogram('toolstream_edge_delivery_lag_seconds', {
    description: 'Time from an event stored to its relay to clients',
    advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  const requests = meter.createHistogram('toolstream_edge_request_duration_seconds', {
    description: 'Time from an HTTP request received to its answer',
    advice: { explicitBucketBoundaries: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] },
  });
  for (const [name, description, value] of [
    ['toolstream_edge_sockets', 'Open WebSockets', (g) => g.sockets],
    ['toolstream_edge_streams', 'Open SSE streams', (g) => g.streams],
    ['toolstream_edge_subscriptions', 'Subscriptions of all clients', (g) => g.subscriptions],
    ['toolstream_edge_messages', 'Messages whose newest run somebody follows', (g) => g.messages],
    ['toolstream_edge_feeds', 'Runs and apps that somebody watches', (g) => g.feeds],
    ['toolstream_edge_ring_bytes', 'Bytes in the rings of recent events', (g) => g.ringBytes],
    ['toolstream_edge_waiting_bytes', 'Bytes that wait for clients', (g) => g.waitingBytes],
  ] as const satisfies readonly (readonly [string, string, (g: Gauges) => number])[]) {
    meter.createObservableGauge(name, { description }).addCallback((observed) => observed.observe(value(gauges())));
  }

  const before = process.memoryUsage.rss();
  meter
    .createObservableGauge('toolstream_edge_memory_per_connection_bytes', {
      description:
        'Growth of this process since its start, shared among its connections; says little while they are few',
    })
    .addCallback((observed) => {
      const { sockets, streams } = gauges();
      const connections = sockets + streams;
      if (connections > 0) observed.observe(Math.max(0, process.memoryUsage.rss() - before) / connections);
    });

  const recent = new Float64Array(SAMPLES);
  let samples = 0;
  return {
    joined(beginning) {
      joins.add(1, { beginning });
      recorder.counts.joined[beginning]++;
    },
    gap(outcome) {
      gaps.add(1, { outcome });
      recorder.counts.gaps[outcome]++;
    },
    read() {
      reads.add(1);
      recorder.counts.history_reads++;
    },
    snapshot(reason) {
      snapshots.add(1, { reason });
      recorder.counts.snapshots[reason]++;
    },
    closed(code) {
      closes.add(1, { code });
      recorder.counts.closed++;
    },
    slow(step) {
      slowSteps.add(1, { step });
      recorder.counts.slow[step]++;
    },
    acknowledged(lagMs) {
      acknowledged.record(Math.max(0, lagMs) / 1000);
      recordLag(recorder.counts.acknowledged, lagMs);
    },
    connection(transport, outcome, reason) {
      connections.add(1, { transport, outcome, reason });
      recorder.counts.connections[outcome === 'accepted' ? 'accepted' : 'refused']++;
    },
    command: (outcome) => commands.add(1, { outcome }),
    delivered(lagMs) {
      const measured = Math.max(0, lagMs);
      lag.record(measured / 1000);
      recent[samples++ % SAMPLES] = measured;
      recordLag(recorder.counts.relayed, measured);
    },
    request: (route, status, seconds) => requests.record(seconds, { route, status }),
    delivery() {
      const sorted = recent.slice(0, Math.min(samples, SAMPLES)).sort();
      const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? null;
      return { samples: sorted.length, p50_ms: at(0.5), p95_ms: at(0.95) };
    },
  };
}
