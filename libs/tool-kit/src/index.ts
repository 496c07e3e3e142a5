export {
  type CallInfo,
  type ContextOptions,
  checkedChannel,
  checkedReport,
  createContext,
  type LogLevel,
  METRICS,
  type MetricCounts,
  type MetricName,
  type ToolContext,
  type ToolHost,
  type ToolLog,
} from './context.ts';
export {
  type AbortKind,
  inputNeeded,
  inputRequestOf,
  isToolFailure,
  ToolAborted,
  type ToolErrorCode,
  ToolFailure,
  type ToolFailureInit,
} from './failure.ts';
export {
  type AllowList,
  type FetchOptions,
  fetchOptionsFrom,
  type GuardedFetch,
  guardedFetch,
  parseAllowList,
} from './fetch/index.ts';
export type { ToolFetch } from './fetch/types.ts';
export { type JsonSchema, type SchemaCheck, schemaCheck } from './json-schema.ts';
export { cleanText, OUTPUT_LIMITS, OutputBuffer, type OutputChunk, type OutputLimits } from './output.ts';
export { normalPath } from './path.ts';
export { MAX_WAITING_STAGES, ProgressCoalescer, ProgressQueue, type ProgressReport } from './progress.ts';
export type {
  ArtifactSource,
  DeleteOptions,
  ListPage,
  PutArtifactOptions,
  RenameOptions,
  ToolArtifacts,
  ToolWorkspace,
  WorkspaceFile,
  WorkspaceHead,
  WriteOptions,
} from './stores.ts';
export {
  defineJsonTool,
  defineTool,
  isTool,
  type JsonToolSpec,
  type Tool,
  type ToolPolicy,
  type ToolSpec,
  toolDefinition,
} from './tool.ts';
