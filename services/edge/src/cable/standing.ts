import { formatCursors, type Position, parseCursors } from '@toolstream/proto-events';
import { readOffset } from './offsets.ts';
import type { History } from './wire.ts';

/** How a client joins a feed. */
export interface Standing {
  /** Where it stands, or `start`. Absent: it shows nothing yet. */
  readonly cursor?: string;
  /** It shows the calls already, whatever else. */
  readonly listed?: boolean;
  /** It has a part of the first drawing at this position; the rest is to be said. */
  readonly redraw?: Position;
  /** Offsets up to which it has everything. */
  readonly heard?: readonly { readonly partition: number; readonly epoch: string; readonly offset: number }[];
}

/** Where a page that cannot say it itself stands in a channel. */
export interface PagePlace {
  readonly run?: string | undefined;
  readonly cursor: string;
}

/** It shows nothing: the present state is drawn. */
export const NOWHERE: Standing = {};

export interface ReadStanding {
  readonly standing: Standing;
  /** The client counts on messages that this log cannot give it any more. */
  readonly lost: boolean;
}

export interface Place {
  /** The epoch of the log now. */
  epoch(partition: number): string;
  readonly partitions: readonly number[];
  stream(partition: number): string;
}

/**
 * Where an ext-json client stands by its own account. One that has seen nothing of these streams begins with the present
 * state. An app's streams count together: without all of them nobody knows where the client stands.
 */
export function standingOf(history: History | undefined, place: Place): ReadStanding {
  if (history === undefined) return { standing: NOWHERE, lost: false };
  if (history === 'malformed') return { standing: NOWHERE, lost: true };
  const records = place.partitions.map((partition) => ({
    partition,
    record: history.streams[place.stream(partition)],
  }));
  if (records.every(({ record }) => record === undefined)) return { standing: NOWHERE, lost: false };
  const positions: Position[] = [];
  const heard: { partition: number; epoch: string; offset: number }[] = [];
  let redraw: Position | undefined;
  for (const { partition, record } of records) {
    const epoch = place.epoch(partition);
    const reached = record && record.epoch === epoch ? readOffset(record.offset) : undefined;
    if (!record || !reached) return { standing: NOWHERE, lost: true };
    heard.push({ partition, epoch, offset: record.offset });
    // Of what one event brought a part is missing: that event is told again, from where it was cut.
    positions.push({ partition, epoch, seq: reached.part === 'event' ? reached.seq - 1 : reached.seq });
    if (reached.part === 'drawing') redraw = { partition, epoch, seq: reached.seq };
  }
  const cursor = formatCursors(positions);
  return { standing: { cursor, heard, ...(redraw === undefined ? {} : { redraw }) }, lost: false };
}

/** Where a page stands by our account. Of a log that is gone only that it shows the calls. */
export function standingAt(cursor: string, place: Pick<Place, 'epoch'>): Standing {
  const positions = parseCursors(cursor) ?? [];
  const known = positions.length > 0 && positions.every(({ partition, epoch }) => place.epoch(partition) === epoch);
  return known ? { cursor, listed: true } : { listed: true };
}
