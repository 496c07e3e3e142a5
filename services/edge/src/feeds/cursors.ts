import { parseCursors } from '@toolstream/proto-events';

/** What of the event log a cursor needs. */
export interface CursorLog {
  epoch(partition: number): string;
  /** Last sequence of the partition, from its leader. */
  lastSeq(partition: number): Promise<number>;
}

/** Sequences, one per partition of a feed and in the order of its partitions. A run's feed has one. */
export type Positions = readonly number[];

export const samePositions = (a: Positions, b: Positions): boolean => a.every((seq, slot) => seq === b[slot]);
export const reaches = (a: Positions, b: Positions): boolean => a.every((seq, slot) => seq >= b[slot]!);
export const furthest = (a: Positions, b: Positions): number[] => a.map((seq, slot) => Math.max(seq, b[slot]!));

export type ResolvedCursor =
  | { readonly ok: true; readonly positions: Positions }
  | { readonly ok: false; readonly reason: 'malformed' | 'epoch' | 'future' };

/**
 * Turns a client's cursor into positions on these partitions. A partition that the cursor does not name is new since then
 * and replayed from its start. Foreign epochs, foreign partitions and positions that the log has not reached are told apart
 * from nonsense: they are honest cursors of a log that is gone.
 */
export async function resolveCursor(
  log: CursorLog,
  partitions: readonly number[],
  text: string,
  knownHead: Positions,
): Promise<ResolvedCursor> {
  const parsed = parseCursors(text);
  if (!parsed) return { ok: false, reason: 'malformed' };
  const named = new Map(parsed.map((position) => [position.partition, position]));
  if (!partitions.some((partition) => named.has(partition))) return { ok: false, reason: 'epoch' };
  const positions = partitions.map((partition) => named.get(partition)?.seq ?? 0);
  for (const [slot, partition] of partitions.entries()) {
    const position = named.get(partition);
    if (!position) continue;
    if (position.epoch !== log.epoch(partition)) return { ok: false, reason: 'epoch' };
    if (position.seq > knownHead[slot]! && position.seq > (await log.lastSeq(partition))) {
      return { ok: false, reason: 'future' };
    }
  }
  return { ok: true, positions };
}
