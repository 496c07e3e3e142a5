import {
  DiscardPolicy,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamUpdateConfig,
} from '@nats-io/jetstream';
import {
  DEAD_STREAM,
  deadStreamSubjects,
  eventRepublish,
  eventStream,
  eventStreamSubjects,
  JOBS_STREAM,
  jobStreamSubjects,
  TIMERS_STREAM,
  timerStreamSubjects,
} from '@toolstream/proto-events';

export interface StreamsOptions {
  partitions: number;
  replicas?: number;
  storage?: 'file' | 'memory';
  /** Limit of each event stream; at it new events are refused. Absent: unlimited, or as the stream was declared. */
  maxBytes?: number;
}

export type DesiredStream = Partial<StreamConfig> & { name: string };

const SECOND = 1_000_000_000;
const DAY = 86_400 * SECOND;

/** Every stream of Toolstream. Declared explicitly where the server's default would bind us later (`max_consumers`). */
export function desiredStreams(options: StreamsOptions): DesiredStream[] {
  const common = {
    storage: options.storage === 'memory' ? StorageType.Memory : StorageType.File,
    num_replicas: options.replicas ?? 1,
  };
  const partitions = Array.from({ length: options.partitions }, (_, partition) => ({
    ...common,
    name: eventStream(partition),
    description: 'Facts about runs, in order. The only truth.',
    subjects: [eventStreamSubjects(partition)],
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.New,
    ...(options.maxBytes === undefined ? {} : { max_bytes: options.maxBytes }),
    allow_direct: true,
    republish: eventRepublish,
    max_consumers: 64,
    // A single event is never taken out; retention purges whole runs.
    deny_delete: true,
    // The fence refuses duplicates; no event has a message id, so this table stays empty.
    duplicate_window: SECOND,
  }));
  return [
    ...partitions,
    {
      ...common,
      name: JOBS_STREAM,
      description: 'Tool jobs. A job leaves when it is acknowledged.',
      subjects: [jobStreamSubjects],
      retention: RetentionPolicy.Workqueue,
      discard: DiscardPolicy.New,
      // 16 per pool (priorities × buckets): room for 64 pools.
      max_consumers: 1024,
      duplicate_window: 120 * SECOND,
    },
    {
      ...common,
      name: TIMERS_STREAM,
      description: 'Schedules that wait, and timers that fired and were not handled yet.',
      subjects: timerStreamSubjects,
      retention: RetentionPolicy.Workqueue,
      // The server takes no other with schedules. There is no limit, so nothing is ever discarded.
      discard: DiscardPolicy.Old,
      allow_msg_schedules: true,
      max_consumers: 16,
      duplicate_window: 120 * SECOND,
    },
    {
      ...common,
      name: DEAD_STREAM,
      description: 'Advisories of jobs that exhausted their deliveries or were terminated.',
      subjects: deadStreamSubjects,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.Old,
      max_age: 30 * DAY,
      max_consumers: 16,
    },
  ];
}

/** What a running stream may take on without being made anew. The server refuses what it cannot do. */
export function withChanges(existing: StreamConfig, desired: DesiredStream): Partial<StreamUpdateConfig> {
  return { ...existing, ...desired, metadata: { ...existing.metadata, ...desired.metadata } };
}

/** `max_bytes is -1, wanted 1000` for every wanted field that differs. */
export function configDifferences(existing: StreamConfig, desired: DesiredStream): string[] {
  const has = existing as unknown as Record<string, unknown>;
  return Object.entries(desired)
    .filter(([key, wanted]) => key !== 'description' && key !== 'metadata' && !same(has[key], wanted))
    .map(([key, wanted]) => `${desired.name}: ${key} is ${JSON.stringify(has[key])}, wanted ${JSON.stringify(wanted)}`);
}

function same(a: unknown, b: unknown): boolean {
  return a === b || JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return [...value].sort();
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
