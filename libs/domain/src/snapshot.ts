import type { RunSnapshot, RunState } from '@toolstream/proto-events';

/** The state as clients receive it: with the cursor that stands for its position. */
export const toSnapshot = (state: RunState, cursor: string): RunSnapshot => ({ ...state, cursor });
