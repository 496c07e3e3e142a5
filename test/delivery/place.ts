import { parseCursors } from '@toolstream/proto-events';

/** A cursor read: partition → epoch and sequence. How two of them compare is written here, not taken from edge or client. */
export type Place = ReadonlyMap<number, { readonly epoch: string; readonly seq: number }>;

export function placeOf(cursor: string): Place | undefined {
  if (cursor === 'start') return new Map();
  const parsed = parseCursors(cursor);
  return parsed && new Map(parsed.map(({ partition, epoch, seq }) => [partition, { epoch, seq }]));
}

export const seqIn = (place: Place, partition: number): number => place.get(partition)?.seq ?? 0;

/** Some partition is named by both, in different incarnations of its stream. */
export const foreign = (a: Place, b: Place): boolean =>
  [...a].some(([partition, { epoch }]) => b.has(partition) && b.get(partition)!.epoch !== epoch);

/** Everything up to `a` is also up to `b`. */
export const covered = (a: Place, b: Place): boolean =>
  [...a].every(([partition, { seq }]) => seq <= seqIn(b, partition));
