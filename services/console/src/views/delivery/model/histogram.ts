import type { DeliveryReport } from '@toolstream/proto-events';
import { fineDuration } from '../../../charts/measures.ts';

export type LagHistogram = DeliveryReport['total']['relayed'];

export interface Bar {
  /** `≤ 3 ms`, `over 30 s`. */
  readonly label: string;
  readonly samples: number;
}

export const samplesOf = ({ cells }: LagHistogram): number => cells.reduce((sum, count) => sum + count, 0);

export function bars(histogram: LagHistogram, bounds: readonly number[]): Bar[] {
  return histogram.cells.map((samples, cell) => ({ label: cellLabel(bounds, cell), samples }));
}

function cellLabel(bounds: readonly number[], cell: number): string {
  const bound = bounds[cell];
  return bound === undefined ? `over ${fineDuration(bounds[cell - 1] ?? 0)}` : atMostText(bound);
}

export const atMostText = (ms: number): string => `≤ ${fineDuration(ms)}`;

/**
 * What so large a part of the samples did not exceed: the bound of the cell that it falls into, or the longest one measured
 * where that is less. Nothing finer is known, so nothing finer is said. Absent without samples.
 */
export function atMost(histogram: LagHistogram, bounds: readonly number[], part: number): number | undefined {
  const samples = samplesOf(histogram);
  if (samples === 0) return undefined;
  let reached = 0;
  for (const [cell, count] of histogram.cells.entries()) {
    reached += count;
    if (count > 0 && reached >= part * samples) return Math.min(bounds[cell] ?? histogram.max_ms, histogram.max_ms);
  }
  return histogram.max_ms;
}

export const meanOf = (histogram: LagHistogram): number | undefined => {
  const samples = samplesOf(histogram);
  return samples === 0 ? undefined : histogram.sum_ms / samples;
};
