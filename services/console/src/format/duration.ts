/** `840 ms`, `4.2 s`, `1 min 05 s`, `2 h 10 min`, `3 d 4 h`: two units at most. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms) || ms < 0) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(ms / 60_000);
  if (minutes < 24 * 60) return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
  const hours = Math.round(ms / 3_600_000);
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

const two = (n: number): string => String(n).padStart(2, '0');

/** From one instant to another, or to `now` where it has not ended. */
export function between(from: string | undefined, to: string | undefined, now: number): number | undefined {
  if (from === undefined) return undefined;
  return Math.max(0, (to === undefined ? now : Date.parse(to)) - Date.parse(from));
}
