import { utcTicks } from 'd3-time';
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

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `350 ms`, `1.25 s`, `12 s`, `4:05`, `1:00:00`, `2 d 3:00:00`: as exact as neighbours `step` apart need it. */
export function elapsed(ms: number, step: number): string {
  if (ms === 0) return '0';
  if (ms < SECOND && step < SECOND) return `${Math.round(ms)} ms`;
  const digits = step < 10 ? 3 : step < 100 ? 2 : step < SECOND ? 1 : 0;
  if (ms < MINUTE) return `${(ms / SECOND).toFixed(digits)} s`;
  const whole = Math.floor(ms / HOUR) % 24;
  const minutes = Math.floor(ms / MINUTE) % 60;
  const seconds = ((ms % MINUTE) / SECOND).toFixed(digits).padStart(digits === 0 ? 2 : digits + 3, '0');
  const days = Math.floor(ms / DAY);
  const clock =
    days + whole === 0 ? `${minutes}:${seconds}` : `${whole}:${String(minutes).padStart(2, '0')}:${seconds}`;
  return days === 0 ? clock : `${days} d ${clock}`;
}
