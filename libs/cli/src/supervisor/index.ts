export { defaultDataDir } from './data-folder.ts';
export { type ServiceSpec, type StackFacts, toolstreamServices } from './services.ts';
export { type Stack, type StackEvents, StartAborted, startStack } from './stack.ts';
export type { StackOptions } from './stack-options.ts';
export type { Exit } from './supervised.ts';
