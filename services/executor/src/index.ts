export { Executor, type ExecutorOptions } from './app.ts';
export { loadTools, ToolModuleError } from './catalog/load-tools.ts';
export { type ExecutorConfig, executorConfig } from './config.ts';
export type { LoadedTool } from './isolation/runner.ts';
