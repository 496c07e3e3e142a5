import { ascending } from './pairs.ts';

/** The most of these times that fall into one window of this length, wherever it begins. */
export function busiest(times: readonly number[], windowMs: number): number {
  const sorted = ascending(times);
  let most = 0;
  for (let first = 0, last = 0; last < sorted.length; last++) {
    while (sorted[last]! - sorted[first]! >= windowMs) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
