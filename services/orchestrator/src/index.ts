export { DEAD_JOBS_BUCKET } from './adapters/dead-jobs.ts';
export { type Orchestrator, type OrchestratorOptions, startOrchestrator } from './app.ts';
export { type OrchestratorConfig, orchestratorConfig } from './config.ts';
export type { DeadJob, RunLog } from './ports.ts';
