/** The stores without React, for other frameworks and for none. */
export type { Answer, CommandName, PendingCommand, RefusedCommand, RunControls, Why } from './commands.ts';
export { durationOf, type NoForecast, type Progress, percentOf, progressOf } from './progress.ts';
export {
  createRunStore,
  EVENTS_KEPT_AT_MOST,
  type RecentEvent,
  type RunStore,
  type RunStoreOptions,
  type RunView,
} from './run-store.ts';
export { createRunsStore, type RunsStore, type RunsView } from './runs-store.ts';
export {
  hasRunEnded,
  hasToolEnded,
  type RunState,
  type RunStatus,
  type Store,
  type ToolState,
  type ToolStatus,
  type ToolstreamEvent,
  type WatchStatus,
} from './types.ts';
export { about, duration, progressText, RUN_WORDS, TOOL_WORDS, toolText } from './words.ts';
