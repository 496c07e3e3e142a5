import { eventStream } from '@toolstream/proto-events';
import type { Channel } from './channel.ts';
import type { GapReason } from './follow-options.ts';
import { leaderMessage } from './leader.ts';
import { READ_TIMEOUT_MS } from './read.ts';
import type { StreamPositions } from './stream-positions.ts';

export interface Standpoint {
  partition: number;
  filter: string;
  /** Sequence of the last event that the reader has. */
  low: number;
  epoch: string;
  /** The reader comes from outside: what lies behind its position may be gone. */
  joining: boolean;
  /** `low` is the sequence of an event of the filter. */
  fromIsEvent: boolean;
}

/**
 * Nothing behind `low` was purged. Asked after what is there was read, so that a purge which ran into the read is seen.
 *
 * Purges take the oldest first. So nothing behind a run's position is gone while its event at the position is there, or its
 * first one; and nothing of an app while the stream begins no later than right behind the position.
 */
export async function isIntact(
  channel: Channel,
  positions: StreamPositions,
  { partition, filter, low, fromIsEvent }: Pick<Standpoint, 'partition' | 'filter' | 'low' | 'fromIsEvent'>,
): Promise<boolean> {
  if (!fromIsEvent) return (await positions.get(partition)).first <= low + 1;
  const next = (seq: number) =>
    leaderMessage(channel, eventStream(partition), { seq, next_by_subj: filter }, READ_TIMEOUT_MS);
  if (low > 0 && (await next(low))?.seq === low) return true;
  return (await next(1))?.type === 'run.accepted.v1';
}

/** Why the stream cannot be continued without a gap from here, by what its leader holds; `undefined` if it can. */
export async function obstacle(
  channel: Channel,
  positions: StreamPositions,
  standpoint: Standpoint,
): Promise<GapReason | undefined> {
  const { partition, filter, low } = standpoint;
  const { epoch, first, last } = await positions.get(partition);
  if (epoch !== standpoint.epoch || last < low) return 'epoch';
  if (!standpoint.joining || low === 0) return undefined;
  if (!standpoint.fromIsEvent) return first > low + 1 ? 'purged' : undefined;
  const query = { seq: low, next_by_subj: filter };
  const event = await leaderMessage(channel, eventStream(partition), query, READ_TIMEOUT_MS);
  return event?.seq === low ? undefined : 'purged';
}
