export { DEAD_LETTERS_BUCKET } from './adapters/dead-letter-store.ts';
export { type Orchestrator, type OrchestratorOptions, startOrchestrator } from './app.ts';
export { type OrchestratorConfig, orchestratorConfig } from './config.ts';
export type { RunLog } from './ports.ts';
