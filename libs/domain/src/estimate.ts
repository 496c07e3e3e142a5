import type { ToolDefinition, ToolEstimate } from '@toolstream/proto-events';

/** Runs of a tool that must be known before their median replaces the author's estimate. */
export const RUNS_UNTIL_LEARNED = 5;

/** Milliseconds that a call of this tool is expected to take. */
export function estimatedDuration(definition: Pick<ToolDefinition, 'estimated_ms'>, learned?: ToolEstimate): number {
  return learned && learned.runs >= RUNS_UNTIL_LEARNED ? Math.round(learned.p50_ms) : definition.estimated_ms;
}
