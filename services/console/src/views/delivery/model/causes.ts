import type { DeliveryReport } from '@toolstream/proto-events';

export interface Cause {
  readonly id: string;
  readonly name: string;
  readonly count: number;
  readonly meaning: string;
}

type Counts = DeliveryReport['total'];

/** How subscriptions begin. */
export const beginnings = ({ joined }: Counts): Cause[] => [
  {
    id: 'cursor',
    name: 'Came back with a cursor',
    count: joined.cursor,
    meaning: 'Went on behind the last event that it had: a reconnect, or a page that kept its place.',
  },
  { id: 'snapshot', name: 'Came anew', count: joined.snapshot, meaning: 'Began with the run as it stood.' },
  { id: 'start', name: 'Replayed from the start', count: joined.start, meaning: 'Asked for the whole history.' },
];

/** Losses between the log and the edges, and what became of them. */
export const gaps = ({ gaps }: Counts): Cause[] => [
  {
    id: 'repaired',
    name: 'Repaired unseen',
    count: gaps.repaired,
    meaning:
      'An event came live before one that it follows: what was missing was read from the log; no client noticed.',
  },
  {
    id: 'snapshot',
    name: 'Announced by a snapshot',
    count: gaps.snapshot,
    meaning: 'Continuity could not be proven, so every client of that run got a snapshot that says so.',
  },
];

export const snapshots = ({ snapshots }: Counts): Cause[] => [
  { id: 'cold', name: 'Asked for', count: snapshots.cold, meaning: 'A client came without a cursor.' },
  {
    id: 'gap',
    name: 'Gap',
    count: snapshots.gap,
    meaning: 'The log could not be continued from where the client was.',
  },
  {
    id: 'slow',
    name: 'Slow client',
    count: snapshots.slow,
    meaning: 'It was too far behind to be sent what it missed.',
  },
  {
    id: 'epoch',
    name: 'Another log',
    count: snapshots.epoch,
    meaning: 'Its cursor belonged to an earlier incarnation of the event log.',
  },
];

/** The steps that a client which does not keep up comes to, in order. */
export const ladder = ({ slow }: Counts): Cause[] => [
  {
    id: 'fold',
    name: 'Folded',
    count: slow.fold,
    meaning: 'It is sent what it missed with superseded progress left out.',
  },
  {
    id: 'snapshot',
    name: 'Queue dropped',
    count: slow.snapshot,
    meaning: 'What waited for it is dropped, and a fresh snapshot goes on instead.',
  },
  {
    id: 'close',
    name: 'Sent away',
    count: slow.close,
    meaning: 'It made no room for 30 s: the connection is closed, with a time to come back.',
  },
];
