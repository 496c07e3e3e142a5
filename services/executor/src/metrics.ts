import type { Meter } from '@toolstream/service-kit';
import type { JobOutcome } from './jobs/job-handler.ts';

/** Counts jobs by outcome and shows the slots; returns what to call at every job's end. */
export function executorMetrics(
  meter: Meter | undefined,
  slots: () => { busy: number; slots: number },
): (outcome: JobOutcome) => void {
  if (!meter) return () => {};
  const jobs = meter.createCounter('executor_jobs', { description: 'Jobs, by how they ended for this executor' });
  meter
    .createObservableGauge('executor_slots_busy', { description: 'Slots taken by jobs' })
    .addCallback((observed) => observed.observe(slots().busy));
  meter
    .createObservableGauge('executor_slots', { description: 'Slots' })
    .addCallback((observed) => observed.observe(slots().slots));
  return (outcome) => jobs.add(1, { outcome });
}
