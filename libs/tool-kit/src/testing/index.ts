export { MemoryArtifacts, type TestArtifact } from './memory-artifacts.ts';
export { MemoryWorkspace } from './memory-workspace.ts';
export type { LogLine } from './test-host.ts';
export { type TestEnd, type TestOptions, type TestRun, testTool } from './test-tool.ts';
