import { CURSOR_START, formatCursors, parseCursors } from '@toolstream/proto-events';

/** Where a reader stands: one stream sequence per partition. A run's place has one entry, an app's may have several. */
export type Place = ReadonlyMap<number, { readonly epoch: string; readonly seq: number }>;

/** Before the first event. */
export const START: Place = new Map();

/** `undefined` for what is no cursor. */
export function parsePlace(cursor: string): Place | undefined {
  if (cursor === CURSOR_START) return START;
  const positions = parseCursors(cursor);
  return positions && new Map(positions.map(({ partition, epoch, seq }) => [partition, { epoch, seq }]));
}

export const formatPlace = (place: Place): string =>
  place.size === 0
    ? CURSOR_START
    : formatCursors([...place].map(([partition, { epoch, seq }]) => ({ partition, epoch, seq })));

export const seqAt = (place: Place, partition: number): number => place.get(partition)?.seq ?? 0;

/** Everything up to `a` is also up to `b`. */
export function isCovered(a: Place, b: Place): boolean {
  for (const [partition, { seq }] of a) if (seq > seqAt(b, partition)) return false;
  return true;
}

/** The two places belong to different incarnations of a stream: their sequences say nothing of each other. */
export function isForeign(a: Place, b: Place): boolean {
  for (const [partition, { epoch }] of a) {
    const other = b.get(partition);
    if (other && other.epoch !== epoch) return true;
  }
  return false;
}

export function later(a: Place, b: Place): Place {
  const merged = new Map(a);
  for (const [partition, position] of b) if (position.seq > seqAt(a, partition)) merged.set(partition, position);
  return merged;
}

/**
 * How a frame that leads from `prev` to `cursor` relates to a reader at `at`. Coverage, not equality, is what proves
 * that nothing is missing: a folded range that begins before the reader's place and ends after it continues it.
 */
export function relation(at: Place, prev: Place, cursor: Place): 'next' | 'duplicate' | 'gap' | 'foreign' {
  if (isForeign(at, cursor) || isForeign(at, prev)) return 'foreign';
  if (isCovered(cursor, at)) return 'duplicate';
  return isCovered(prev, at) ? 'next' : 'gap';
}
