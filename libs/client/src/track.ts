import {
  partitionOfRun,
  type RunStatus,
  type ServerFrame,
  type SnapshotReason,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import { ToolstreamError } from './errors.ts';
import type { Fold } from './fold.ts';
import { formatPlace, isCovered, isForeign, later, type Place, parsePlace, relation, START, seqAt } from './place.ts';

/**
 * What one subscription has received: a value, changed only by {@link step}. Whatever is dropped, repeated or sent
 * again after a reconnect, `state` is the fold of the log up to `at`, and `at` never goes back within an epoch.
 */
export interface Track<S> {
  readonly fold: Fold<S>;
  /** `undefined`: nothing yet, and a snapshot is expected first. */
  readonly at: Place | undefined;
  readonly state: S | undefined;
  /** `resyncing`: a gap was found and the subscription was asked for again; until it answers, gaps are expected. */
  readonly phase: 'syncing' | 'live' | 'resyncing' | 'ended';
  /** Events up to here build the state but are not reported: the caller has had them. */
  readonly quiet: Place;
}

export type Output<S> =
  | { readonly type: 'snapshot'; readonly state: S; readonly cursor: string; readonly reason: SnapshotReason }
  | {
      readonly type: 'event';
      readonly run: string;
      readonly event: ToolstreamEvent;
      readonly cursor: string;
      /** Number of events that this one stands for, where the service folded a range of progress. */
      readonly folded?: number;
      readonly state: S;
    }
  | { readonly type: 'caught_up'; readonly cursor: string }
  | { readonly type: 'end'; readonly run: string; readonly status: RunStatus; readonly cursor: string }
  /** The frames do not join up; the subscription is resumed at `expected`. */
  | { readonly type: 'gap'; readonly expected: string; readonly received: string };

export interface Step<S> {
  readonly track: Track<S>;
  readonly outputs: readonly Output<S>[];
  /** Ask for the subscription again, from {@link resumeCursor}. */
  readonly resubscribe: boolean;
}

export type SubscriptionFrame = Extract<ServerFrame, { type: 'snapshot' | 'event' | 'caught_up' | 'end' }>;

/** Where a subscription begins: nowhere (a snapshot comes first), at a cursor, or at a state that one has. */
export function beginTrack<S>(fold: Fold<S>, from: { cursor?: string; state?: S } = {}): Track<S> {
  const track = { fold, phase: 'syncing', quiet: START, state: from.state } as const;
  if (from.cursor === undefined) return { ...track, at: undefined, state: undefined };
  const place = parsePlace(from.cursor);
  if (!place)
    throw new ToolstreamError('bad_cursor', `${JSON.stringify(from.cursor)} is no cursor that a run ever had.`);
  if (from.state !== undefined) return { ...track, at: place };
  // Without a state there is nothing to fold onto: the run is replayed, and what the caller has had stays unreported.
  return { ...track, at: START, quiet: place };
}

/** The cursor to subscribe with; `undefined` asks for a snapshot. */
export const resumeCursor = <S>(track: Track<S>): string | undefined => track.at && formatPlace(track.at);

/** A new connection: the next frames continue from {@link resumeCursor}. */
export const restarted = <S>(track: Track<S>): Track<S> =>
  track.phase === 'ended' ? track : { ...track, phase: 'syncing' };

/** Gives up on resuming: the next subscription begins with a snapshot. */
export const forgotten = <S>(track: Track<S>): Track<S> => ({ ...track, at: undefined, phase: 'resyncing' });

export function step<S>(track: Track<S>, frame: SubscriptionFrame): Step<S> {
  if (track.phase === 'ended') return nothing(track);
  const cursor = parsePlace(frame.cursor);
  if (!cursor) return gap(track, frame.cursor);
  switch (frame.type) {
    case 'snapshot':
      return snapshot(track, frame, cursor);
    case 'event':
      return event(track, frame, cursor);
    case 'caught_up':
      if (!reached(track, cursor)) return gap(track, frame.cursor);
      return {
        track: { ...track, phase: 'live' },
        outputs: [{ type: 'caught_up', cursor: frame.cursor }],
        resubscribe: false,
      };
    case 'end': {
      if (!reached(track, cursor)) return gap(track, frame.cursor);
      const output = { type: 'end', run: frame.run, status: frame.status, cursor: frame.cursor } as const;
      const phase = track.fold.kind === 'run' ? 'ended' : track.phase;
      return { track: { ...track, phase }, outputs: [output], resubscribe: false };
    }
  }
}

const nothing = <S>(track: Track<S>): Step<S> => ({ track, outputs: [], resubscribe: false });

const reached = <S>(track: Track<S>, cursor: Place): boolean =>
  track.at !== undefined && !isForeign(track.at, cursor) && isCovered(cursor, track.at);

/** The first gap asks for the subscription again; those after it are what was still on its way. */
function gap<S>(track: Track<S>, received: string): Step<S> {
  if (track.phase === 'resyncing') return nothing(track);
  const expected = track.at ? formatPlace(track.at) : 'snapshot';
  const next: Track<S> = { ...track, phase: 'resyncing' };
  return { track: next, outputs: [{ type: 'gap', expected, received }], resubscribe: true };
}

function snapshot<S>(track: Track<S>, frame: Extract<SubscriptionFrame, { type: 'snapshot' }>, cursor: Place): Step<S> {
  if (track.at && !isForeign(track.at, cursor) && track.state !== undefined) {
    // `epoch`: the service has no such position, so what is built on it is not in the log.
    if (frame.reason !== 'epoch') {
      const fresh = isCovered(track.at, cursor);
      if (isCovered(cursor, track.at)) {
        // Right here it is what one has, unless the service says that something was missing on the way.
        if (!fresh || frame.reason === 'cold') return nothing({ ...track, phase: 'syncing' });
      } else if (!fresh) return gap(track, frame.cursor);
    }
  }
  const state = track.fold.fromSnapshot(frame.state);
  return {
    track: { ...track, at: cursor, state, phase: 'syncing' },
    outputs: [{ type: 'snapshot', state, cursor: frame.cursor, reason: frame.reason }],
    resubscribe: false,
  };
}

function event<S>(track: Track<S>, frame: Extract<SubscriptionFrame, { type: 'event' }>, cursor: Place): Step<S> {
  const prev = parsePlace(frame.prev);
  if (!track.at || !prev) return gap(track, frame.cursor);
  const recorded = frame.event as unknown as ToolstreamEvent;
  // The first of all events has nothing before it, whatever `prev` says.
  const first = track.at.size === 0 && recorded.type === 'run.accepted.v1';
  const how = first ? 'next' : relation(track.at, prev, cursor);
  if (how === 'duplicate') return nothing(track);
  if (how !== 'next' || repeatsOutput(track.at, prev, frame, recorded)) return gap(track, frame.cursor);
  const state = track.fold.apply(track.state, recorded, seqAt(cursor, partitionOfRun(frame.run) ?? 0));
  if (state === undefined) return gap({ ...track, at: undefined }, frame.cursor);
  const at = later(track.at, cursor);
  const phase = track.phase === 'resyncing' ? 'syncing' : track.phase;
  const next: Track<S> = { ...track, at, state, phase };
  if (!isForeign(track.quiet, cursor) && isCovered(cursor, track.quiet)) return nothing(next);
  const folded = frame.folded === undefined ? {} : { folded: frame.folded };
  const output = { type: 'event', run: frame.run, event: recorded, cursor: formatPlace(at), ...folded, state } as const;
  return { track: next, outputs: [output], resubscribe: false };
}

/**
 * A folded range may reach back behind one's place: it ends in the newest progress all the same. Joined output does not: part
 * of its text would come twice.
 */
const repeatsOutput = (
  at: Place,
  prev: Place,
  { folded, run }: { folded?: number | undefined; run: string },
  event: ToolstreamEvent,
) => {
  const partition = partitionOfRun(run) ?? 0;
  return folded !== undefined && event.type === 'tool.output.v1' && seqAt(prev, partition) < seqAt(at, partition);
};
