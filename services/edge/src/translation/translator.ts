import type { Json } from '@toolstream/proto-events';
import type { Step } from './run-view.ts';

/** Why a stream ends before its run does. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  /** When to come back, if that is known. */
  readonly retryMs?: number;
}

/** What is written as one `data:` line: the JSON of a value, or these very words. */
export type Ready = object | string;

/** Something to say that holds a value which may be stored outside the log, and is made once the value is there. */
export class Deferred {
  readonly value: Json;
  readonly make: (value: Json) => Ready;

  constructor(value: Json, make: (value: Json) => Ready) {
    this.value = value;
    this.make = make;
  }
}

export type Piece = Ready | Deferred;

/**
 * Tells one client about one run in another protocol's words. It is given states and says what differs from what it has
 * told: so it makes no difference whether a state came by an event, by several that were folded, or by a snapshot.
 */
export interface Translator {
  step(step: Step): Iterable<Piece>;
  /** The client has what the log held when it came. */
  caughtUp(): Iterable<Piece>;
  /** The run has ended: nothing follows. */
  end(): Iterable<Piece>;
  /** The stream ends, whatever becomes of the run. What was said last may not have been sent: this is said instead. */
  fail(failure: Failure): Iterable<Ready>;
  /** The last word is said: the run's end, a failure, or a point at which the protocol ends a stream. */
  readonly over: boolean;
}
