const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
const full = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'long' });

/** `14:03:59` of the reader's own zone. */
export const clockTime = (at: string | number): string => clock.format(new Date(at));

/** Date, time and zone, for titles. */
export const fullTime = (at: string | number): string => full.format(new Date(at));

/** `just now`, `42 s ago`, `5 min ago`, `3 h ago`; beyond a day the date and the time. */
export function relativeTime(at: string | number, now: number): string {
  const then = new Date(at).getTime();
  if (Number.isNaN(then)) return '–';
  const ago = now - then;
  if (Math.abs(ago) < 5_000) return 'just now';
  if (Math.abs(ago) >= 24 * 3_600_000) return `${day.format(then)}, ${clock.format(then).slice(0, 5)}`;
  const text = coarse(Math.abs(ago));
  return ago > 0 ? `${text} ago` : `in ${text}`;
}

function coarse(ms: number): string {
  if (ms < 60_000) return `${Math.floor(ms / 1000)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h`;
}
