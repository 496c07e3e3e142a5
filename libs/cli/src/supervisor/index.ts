export { defaultDataDir } from './data-folder.ts';
export { type ServiceSpec, type StackFacts, toolstreamServices } from './services.ts';
export { type Stack, type StackEvents, type StackOptions, StartAborted, startStack } from './stack.ts';
export type { Exit } from './supervised.ts';
