import type { RunStatus, ToolStatus } from './state.ts';

const TERMINAL_RUN: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled']);
const TERMINAL_TOOL: ReadonlySet<string> = new Set(['succeeded', 'failed', 'cancelled', 'skipped', 'denied']);
export const isRunEnded = (status: RunStatus): boolean => TERMINAL_RUN.has(status);
export const isToolEnded = (status: ToolStatus): boolean => TERMINAL_TOOL.has(status);

/** Ends of a tool call; `tool.failed.v1` ends only when it is not retried. */
export const TOOL_END_TYPES: ReadonlySet<string> = new Set([
  'tool.succeeded.v1',
  'tool.failed.v1',
  'tool.cancelled.v1',
  'tool.skipped.v1',
  'tool.denied.v1',
]);
export const RUN_END_TYPES: ReadonlySet<string> = new Set(['run.succeeded.v1', 'run.failed.v1', 'run.cancelled.v1']);
/** What a reader of states, not of streams, may drop undecoded. */
export const VOLATILE_TYPES: ReadonlySet<string> = new Set(['tool.progressed.v1', 'tool.output.v1']);
