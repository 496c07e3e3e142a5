export {
  type Answered,
  type FormatOf,
  type FunctionCallOutput,
  formatOf,
  type MessageOf,
  type NativeResult,
  type OpenAiToolMessage,
  type ToolResultsMessage,
} from './formats.ts';
export { type AgentClient, type RunOptions, runToolCalls } from './run-tool-calls.ts';
export { type ToolChoice, type ToolOf, toolsFor } from './tools-for.ts';
