/** The next lifecycle event after this index; `undefined` at the last one. `notable` is sorted. */
export function nextMoment(notable: readonly number[], index: number): number | undefined {
  return notable[firstAbove(notable, index)];
}

export function previousMoment(notable: readonly number[], index: number): number | undefined {
  return notable[firstAbove(notable, index - 1) - 1];
}

/** Position of the first entry that is greater. */
function firstAbove(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= value) low = middle + 1;
    else high = middle;
  }
  return low;
}
