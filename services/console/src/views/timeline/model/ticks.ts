import { utcTicks } from 'd3-time';
import { elapsed } from './elapsed.ts';
import type { Viewport } from './viewport.ts';

export interface Tick {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly label: string;
}

/** Marks of the time since `origin`, at round distances (… 1 s, 5 s, 15 s, 30 s, 1 min …), about `count` of them. */
export function ticks(view: Viewport, origin: number, count: number): Tick[] {
  // Time since the origin is written as a date near 1970 in UTC, where the round dates are the round durations.
  const marks = utcTicks(new Date(view.from - origin), new Date(view.to - origin), Math.max(1, count)).map(Number);
  const step = marks.length > 1 ? marks[1]! - marks[0]! : view.to - view.from;
  return marks.filter((since) => since >= 0).map((since) => ({ at: origin + since, label: elapsed(since, step) }));
}
