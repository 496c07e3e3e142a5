import type { Columns } from './columns.ts';

/** How many events fall into each of `bins` equal parts of the time from `from` to `to`. */
export function density(columns: Columns, from: number, to: number, bins: number): number[] {
  const counts = new Array<number>(bins).fill(0);
  const width = Math.max(to - from, 1);
  for (let index = 0; index < columns.length; index++) {
    const bin = Math.floor(((columns.time(index) - from) / width) * bins);
    counts[Math.min(Math.max(bin, 0), bins - 1)]! += 1;
  }
  return counts;
}
