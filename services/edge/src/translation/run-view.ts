import { evolve } from '@toolstream/domain';
import {
  type EventFrame,
  parseCursor,
  type RunState,
  type SnapshotFrame,
  type ToolstreamEvent,
} from '@toolstream/proto-events';

/** A run as it is after a frame, and the event that made it so; after a snapshot there is none. */
export interface Step {
  readonly state: RunState;
  readonly cursor: string;
  readonly event?: ToolstreamEvent;
}

/** Follows one run by the frames of its subscription: the fold of the domain, nothing else. */
export class RunView {
  #state: RunState | undefined;

  /** `undefined`: the run is not in sight yet, or the frame says nothing new. */
  after(frame: SnapshotFrame | EventFrame): Step | undefined {
    const { cursor } = frame;
    if (frame.type === 'snapshot') {
      this.#state = frame.state as RunState;
      return { state: this.#state, cursor };
    }
    const seq = parseCursor(cursor)?.seq;
    if (seq === undefined) return undefined;
    const event = frame.event as unknown as ToolstreamEvent;
    const before = this.#state;
    this.#state = evolve(before, { event, seq });
    return this.#state && this.#state !== before ? { state: this.#state, cursor, event } : undefined;
  }
}
