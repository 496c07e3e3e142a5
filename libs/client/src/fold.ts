import { evolve } from '@toolstream/domain';
import { isRunEnded, type RunState, type SnapshotFrame, type ToolstreamEvent } from '@toolstream/proto-events';

/** How the frames of one subscription become a state. */
export interface Fold<S> {
  readonly kind: 'run' | 'app';
  fromSnapshot(state: SnapshotFrame['state']): S;
  /** `undefined`: the event does not continue this state, which only a lost beginning explains. */
  apply(state: S | undefined, event: ToolstreamEvent, seq: number): S | undefined;
}

export const runFold: Fold<RunState> = {
  kind: 'run',
  fromSnapshot: (state) => state as RunState,
  apply: (state, event, seq) => evolve(state, { event, seq }),
};

/** Runs of an app, newest first: those that are live, and the newest of those that ended while they were watched. */
export interface AppState {
  readonly runs: readonly RunState[];
  /** There are more live runs than are listed. */
  readonly more: boolean;
}

const LIVE_KEPT = 1000;
const ENDED_KEPT = 50;

export const appFold: Fold<AppState> = {
  kind: 'app',
  fromSnapshot: (state) => {
    const { runs, more } = state as { runs: RunState[]; more?: boolean };
    return { runs, more: more ?? false };
  },
  apply: (state = { runs: [], more: false }, event, seq) => {
    const at = state.runs.findIndex((run) => run.run_id === event.runid);
    const before = state.runs[at];
    const after = evolve(before, { event, seq });
    if (!after || after === before) return state;
    if (before) return bounded({ ...state, runs: state.runs.with(at, after) });
    return bounded({ ...state, runs: [after, ...state.runs] });
  },
};

/** Drops the oldest beyond the bounds: ended runs silently, live ones by saying that there are more. */
function bounded(state: AppState): AppState {
  if (state.runs.length <= ENDED_KEPT) return state;
  let live = 0;
  let ended = 0;
  let more = state.more;
  const runs = state.runs.filter((run) => {
    if (isRunEnded(run.status)) return ++ended <= ENDED_KEPT;
    if (++live <= LIVE_KEPT) return true;
    more = true;
    return false;
  });
  return runs.length === state.runs.length ? state : { runs, more };
}
