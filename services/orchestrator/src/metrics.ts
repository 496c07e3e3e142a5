import type { Meter } from '@toolstream/service-kit';
import type { ReactorCounts } from './handlers/reactor.ts';
import type { DecisionCounts } from './runs/decisions.ts';
import type { EffectCounts } from './runs/effects.ts';

export type Metrics = ReactorCounts & DecisionCounts & EffectCounts;

export function orchestratorMetrics(meter: Meter, inMemory: () => number, pending: () => number): Metrics {
  const effects = meter.createCounter('toolstream_orchestrator_effects', {
    description: 'Jobs, timers and signals published, and links written',
  });
  const conflicts = meter.createCounter('toolstream_orchestrator_conflicts', {
    description: 'Appends that the fence refused: others had changed the run first',
  });
  const reactions = meter.createCounter('toolstream_orchestrator_reactions', { description: 'Events reacted to' });
  const deferrals = meter.createCounter('toolstream_orchestrator_deferrals', {
    description: 'Reactions left to another orchestrator for a moment',
  });
  const lag = meter.createHistogram('toolstream_orchestrator_reaction_lag_seconds', {
    description: 'Age of the oldest event of a reaction when it is complete',
    advice: { explicitBucketBoundaries: [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] },
  });
  meter
    .createObservableGauge('toolstream_orchestrator_runs_in_memory', { description: 'Folded runs in memory' })
    .addCallback((observed) => observed.observe(inMemory()));
  meter
    .createObservableGauge('toolstream_orchestrator_events_pending', { description: 'Events behind the reactor' })
    .addCallback((observed) => observed.observe(pending()));
  return {
    performed: (type) => effects.add(1, { type }),
    conflict: () => conflicts.add(1),
    reacted: (events, lagMs) => {
      reactions.add(events);
      lag.record(Math.max(0, lagMs) / 1_000);
    },
    deferred: (events) => deferrals.add(events),
  };
}
