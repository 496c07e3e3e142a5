/** What happens to a client that does not keep up, by the step it has come to. */
export type SlowStep = 'fold' | 'snapshot' | 'close';

export interface Ladder {
  /** Bytes that may wait for a client; beyond it is behind, and what it misses stays in the feed's ring. */
  readonly foldBytes: number;
  /** What a client that is behind may lack, folded, and still be sent; beyond it gets a snapshot. */
  readonly snapshotBytes: number;
  /** How long something sent may stay unacknowledged: longer, and nothing more is sent until it is acknowledged. */
  readonly foldMs: number;
  /** So long unacknowledged, and a snapshot goes on instead of what was missed. */
  readonly snapshotMs: number;
  /** So long without room or acknowledgement, and the client is sent away. */
  readonly closeMs: number;
}

/**
 * Two settings are the whole ladder: 512 KiB and 30 s stand for 128 KiB, 1 s and 10 s as well. All connections of a process
 * have the same, so they share one.
 */
export function ladderOf(bufferBytes: number, slowMs = Number.POSITIVE_INFINITY): Ladder {
  const key = `${bufferBytes}/${slowMs}`;
  const known = ladders.get(key);
  if (known) return known;
  const ladder = {
    foldBytes: bufferBytes / 4,
    snapshotBytes: bufferBytes,
    foldMs: slowMs / 30,
    snapshotMs: slowMs / 3,
    closeMs: slowMs,
  };
  ladders.set(key, ladder);
  return ladder;
}

const ladders = new Map<string, Ladder>();

/** What a subscription had been sent when a ping went out. */
export interface Mark {
  readonly at: number;
  readonly cursor: string;
  readonly emittedAt: number | undefined;
}

/** What a connection knows of one subscription's acknowledgements. */
export interface Ledger {
  /** Oldest first, those that are not acknowledged. */
  readonly marks: Mark[];
  marked: string;
  step: Exclude<SlowStep, 'close'> | undefined;
}
