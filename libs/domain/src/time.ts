/** The only file of the core that touches `Date`, and only its pure functions: the present is always an argument. */
export const toMillis = (instant: string): number => Date.parse(instant);
export const toInstant = (millis: number): string => new Date(millis).toISOString();
export const laterOf = (a: string, b: string): string => (toMillis(a) >= toMillis(b) ? a : b);
export const plus = (instant: string, millis: number): string => toInstant(toMillis(instant) + millis);
export const between = (from: string, to: string): number => Math.max(0, toMillis(to) - toMillis(from));
