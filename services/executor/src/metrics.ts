import type { Meter } from '@toolstream/service-kit';

/** How a job ended for this executor; `left`: not acknowledged, its lease decides. */
export type JobOutcome = 'ended' | 'fenced' | 'settled' | 'left' | 'malformed';

export interface AttemptMeasured {
  readonly tool: string;
  /** The event that ended it, without `tool.` and version: `succeeded`, `failed`, … */
  readonly end: string;
  readonly durationMs: number;
  readonly queueMs: number;
}

export interface ExecutorMetrics {
  job(outcome: JobOutcome): void;
  attempt(measured: AttemptMeasured): void;
}

const BOUNDARIES_MS = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000];
const advice = { explicitBucketBoundaries: BOUNDARIES_MS };

export function executorMetrics(
  meter: Meter | undefined,
  slots: () => { busy: number; slots: number },
): ExecutorMetrics {
  if (!meter) return { job() {}, attempt() {} };
  const jobs = meter.createCounter('executor_jobs', { description: 'Jobs, by how they ended for this executor' });
  const durations = meter.createHistogram('executor_attempt_duration_ms', {
    description: 'From claim to end, time held by a pause outside',
    advice,
  });
  const queued = meter.createHistogram('executor_queue_ms', { description: 'From dispatch to claim', advice });
  meter
    .createObservableGauge('executor_slots_busy', { description: 'Slots taken by jobs' })
    .addCallback((observed) => observed.observe(slots().busy));
  meter
    .createObservableGauge('executor_slots', { description: 'Slots' })
    .addCallback((observed) => observed.observe(slots().slots));
  return {
    job: (outcome) => jobs.add(1, { outcome }),
    attempt({ tool, end, durationMs, queueMs }) {
      durations.record(durationMs, { tool, end });
      queued.record(queueMs, { tool });
    },
  };
}
