import type { RunState, ToolError } from '@toolstream/proto-events';

/** Causes that end a run however far its calls are. */
const BREAKS: ReadonlySet<string> = new Set(['run_timeout', 'run_expired']);

/** Why the run broke off; `undefined` where its end is a matter of its calls, or of a caller's cancel. */
export const breakingOf = ({ error }: RunState): ToolError | undefined =>
  error && BREAKS.has(error.code) ? error : undefined;
