import { everyPart } from '../../../charts/series.ts';
import type { ToolFigures } from './tool-rows.ts';

export interface TrendWindow {
  readonly until: number;
  readonly windowMs: number;
  readonly bucketMs: number;
}

/** One part of a tool's time. What was not measured in it is absent: a line has a gap there. */
export interface TrendRow {
  readonly at: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly duration_p50_ms: number | undefined;
  readonly duration_p95_ms: number | undefined;
  readonly queue_p50_ms: number | undefined;
  readonly queue_p95_ms: number | undefined;
}

export function trendRows(trend: NonNullable<ToolFigures['trend']>, window: TrendWindow): TrendRow[] {
  return everyPart(trend, window, (part, at) => ({
    at,
    succeeded: part?.succeeded ?? 0,
    failed: part?.failed ?? 0,
    cancelled: part ? part.runs - part.succeeded - part.failed : 0,
    duration_p50_ms: part?.duration_p50_ms ?? undefined,
    duration_p95_ms: part?.duration_p95_ms ?? undefined,
    queue_p50_ms: part?.queue_p50_ms ?? undefined,
    queue_p95_ms: part?.queue_p95_ms ?? undefined,
  }));
}
