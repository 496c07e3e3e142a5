import { clockTime, duration } from '../format/index.ts';

/** As `duration`, but finer where queues and relays are: `0.4 ms`, `3.2 ms`, `48 ms`. */
export function fineDuration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0 || ms >= 9.95) return duration(ms);
  return `${Math.round(ms * 10) / 10} ms`;
}

/** A round length of time: `30 s`, `2 min`, `12 h`. Others as `duration`. */
export function span(ms: number): string {
  for (const [unit, name] of UNITS) if (ms >= unit && ms % unit === 0) return `${ms / unit} ${name}`;
  return duration(ms);
}

const UNITS = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
] as const;

/** `–` for what was not measured. */
export const orDash = (value: number | null | undefined, text: (value: number) => string): string =>
  value === null || value === undefined ? '–' : text(value);

const HOUR = 3_600_000;
const minute = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });
const dayMinute = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
});
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });

interface Parts {
  readonly windowMs: number;
  readonly bucketMs: number;
}

const clock = (at: number, bucketMs: number): string => (bucketMs < 60_000 ? clockTime(at) : minute.format(at));

/** How an instant is called on an axis: as exact as its parts are long, no more. */
export function tickTime(at: number, { windowMs, bucketMs }: Parts): string {
  if (windowMs > 48 * HOUR) return day.format(at);
  return clock(at, bucketMs);
}

/** One part of time in words, for a table: its begin and, where that is needed, its day. */
export function partTime(at: number, { windowMs, bucketMs }: Parts): string {
  if (windowMs > 12 * HOUR) return dayMinute.format(at);
  return clock(at, bucketMs);
}
