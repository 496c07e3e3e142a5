export { type AppContext, type ProjectionApp, startProjection } from './app.ts';
export { type ProjectionConfig, projectionConfig } from './config.ts';
export type { PartitionStatus } from './metrics.ts';
