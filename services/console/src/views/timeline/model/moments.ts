import { notAbove } from './sorted.ts';

/** The next lifecycle event after this index; `undefined` at the last one. `notable` is sorted. */
export const nextMoment = (notable: readonly number[], index: number): number | undefined =>
  notable[notAbove(notable, index)];

export const previousMoment = (notable: readonly number[], index: number): number | undefined =>
  notable[notAbove(notable, index - 1) - 1];
