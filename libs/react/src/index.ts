export type { CommandArguments } from './commands.ts';
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
export { ToolstreamProvider, type ToolstreamProviderProps, useToolstream } from './provider.tsx';
export { RunProgress, type RunProgressProps } from './run-progress.tsx';
export * from './store.ts';
export { ToolCallList, type ToolCallListProps } from './tool-call-list.tsx';
export type { ConnectionView } from './types.ts';
export { useRunProgress } from './use-progress.ts';
