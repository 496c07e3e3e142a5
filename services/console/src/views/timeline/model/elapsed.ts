const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `350 ms`, `1.25 s`, `12 s`, `4:05`, `1:00:00`, `2 d 3:00:00`: as exact as neighbours `step` apart need it, and cut there. */
export function elapsed(ms: number, step: number): string {
  if (ms === 0) return '0';
  if (ms < SECOND && step < SECOND) return `${Math.round(ms)} ms`;
  const digits = step < 10 ? 3 : step < 100 ? 2 : step < SECOND ? 1 : 0;
  // As a clock shows it: rounded up, the last second of a minute would be a 60th.
  const unit = 10 ** (3 - digits);
  const shown = Math.floor(ms / unit) * unit;
  if (shown < MINUTE) return `${(shown / SECOND).toFixed(digits)} s`;
  const whole = Math.floor(shown / HOUR) % 24;
  const minutes = Math.floor(shown / MINUTE) % 60;
  const seconds = ((shown % MINUTE) / SECOND).toFixed(digits).padStart(digits === 0 ? 2 : digits + 3, '0');
  const days = Math.floor(shown / DAY);
  const clock =
    days + whole === 0 ? `${minutes}:${seconds}` : `${whole}:${String(minutes).padStart(2, '0')}:${seconds}`;
  return days === 0 ? clock : `${days} d ${clock}`;
}

/** When something happened, counted from the run's acceptance. Writers' clocks differ: what seems to be earlier is not. */
export function sinceStart(time: number, origin: number): string {
  const ms = Math.max(0, time - origin);
  return elapsed(ms, ms < MINUTE ? 10 : SECOND);
}
