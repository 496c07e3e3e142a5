export { type AiSdkOptions, aiSdkTools, ToolCallError } from './tools.ts';
