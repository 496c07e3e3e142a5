export { buildEdge, type Edge, type EdgeParts } from './app.ts';
export { type Principal, SCOPES, type Scope } from './auth/principal.ts';
export { type EdgeConfig, edgeConfig } from './config.ts';
export { startEdge } from './service.ts';
