import type { StoredEvent } from './stored-event.ts';

/** A run (with or without its app), or all runs of an app. */
export type FollowTarget =
  | { tenant: string; run: string; app?: string }
  | { tenant: string; app: string; run?: undefined };

/**
 * `passed`: a hole was found that later events had passed already. `purged`: events behind the position are gone from
 * the stream. `epoch`: the stream was made anew, or lost its tail.
 */
export type GapReason = 'passed' | 'purged' | 'epoch';

export interface FollowPoint {
  partition: number;
  /** Sequence of the last event delivered. */
  seq: number;
}

export interface FollowOptions {
  run: FollowTarget;
  /** What the caller has: events behind these sequences come. One number for a run; per partition for an app. */
  from: number | Readonly<Record<number, number>>;
  /**
   * Events of one partition in strictly increasing sequence, each exactly once, none missing. Where it returns a
   * promise, nothing further is delivered until that resolves. If it throws, the partition ends (see `onError`).
   */
  onEvents: (events: readonly StoredEvent[], partition: number) => void | Promise<void>;
  /**
   * Live events that pass only with a read that proves everything before them: after which nobody would look again, like
   * the end of a run. A lost last message on another subject breaks no chain.
   */
  isProven?: (event: StoredEvent) => boolean;
  /**
   * Behind `at.seq` gaplessness cannot be proven. The partition stands still until `continueFrom` (with the sequence of
   * a snapshot) or `stop`. Comes after everything that was delivered.
   */
  onGapUnhealable: (reason: GapReason, at: FollowPoint) => void;
  /** Everything stored when the follower started, or began a repair, has been delivered. */
  onCaughtUp?: (at: FollowPoint) => void;
  /** A live event showed a hole; what was missing is read before anything passes it. */
  onRepair?: (at: FollowPoint) => void;
  /** Failed reads, tried again for ever; a refused subscription; whatever `onEvents` threw. */
  onError?: (error: unknown) => void;
  /** How often a tail is compared with the stream: a lost last message is found after this long. Default 3 s. */
  checkMs?: number;
  /** Live events held during a read, and delivered ones not proven by a read yet, per partition. Default 10,000. */
  maxBuffer?: number;
}

export interface FollowStats {
  /** Reads that compared the tail with the stream. */
  checks: number;
  /** Holes that a live event showed, filled before anything passed them. */
  repairs: number;
  gaps: number;
}

export interface Follower {
  /** Caught up for the first time, in every partition, or stopped; never rejects. */
  readonly ready: Promise<void>;
  /** Sequence of the last event delivered, per partition. */
  positions(): Record<number, number>;
  stats(): FollowStats;
  /** After a gap: go on behind this sequence. */
  continueFrom(partition: number, seq: number): void;
  stop(): void;
}
