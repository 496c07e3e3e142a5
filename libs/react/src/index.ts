export type {
  Answer,
  CommandArguments,
  CommandName,
  PendingCommand,
  RefusedCommand,
  RunControls,
  Why,
} from './commands.ts';
export {
  type UsedRun,
  type UseRunOptions,
  useConnection,
  useRun,
  useRunControls,
  useRunEvents,
  useRunSelector,
  useRunStore,
  useRuns,
  useToolCall,
} from './hooks.ts';
export { durationOf, type NoForecast, type Progress, percentOf, progressOf } from './progress.ts';
export { ToolstreamProvider, type ToolstreamProviderProps, useToolstream } from './provider.tsx';
export { RunProgress, type RunProgressProps } from './run-progress.tsx';
export {
  createRunStore,
  EVENTS_KEPT_AT_MOST,
  type RecentEvent,
  type RunStore,
  type RunStoreOptions,
  type RunView,
} from './run-store.ts';
export { createRunsStore, type RunsStore, type RunsView } from './runs-store.ts';
export { ToolCallList, type ToolCallListProps } from './tool-call-list.tsx';
export {
  type ConnectionView,
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
export { useRunProgress } from './use-progress.ts';
export { about, duration, progressText, RUN_WORDS, TOOL_WORDS, toolText } from './words.ts';
