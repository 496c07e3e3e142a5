/** A measurement of a part of time that begins at `at`. */
export interface Part {
  readonly at: string;
}

/**
 * Every part of a window, oldest first, also those in which nothing was measured: a chart that left them out would draw a
 * line through hours of silence. `read` gets `undefined` for such a part.
 */
export function everyPart<T extends Part, R>(
  parts: readonly T[],
  window: { readonly until: number; readonly windowMs: number; readonly bucketMs: number },
  read: (part: T | undefined, at: number) => R,
): R[] {
  const { until, windowMs, bucketMs } = window;
  const known = new Map(parts.map((part) => [Date.parse(part.at), part]));
  const first = Math.floor((until - windowMs) / bucketMs) * bucketMs;
  const last = Math.floor(until / bucketMs) * bucketMs;
  const rows: R[] = [];
  for (let at = first; at <= last; at += bucketMs) rows.push(read(known.get(at), at));
  return rows;
}
