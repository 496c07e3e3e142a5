import { isRunEnded, isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import { isEligible } from './advance.ts';

/**
 * The calls whose approval is all that a run still waits for. None while anything else can go on by itself: then there is
 * more to come without anybody's answer.
 */
export function awaitedApprovals(state: RunState): ToolState[] {
  if (isRunEnded(state.status) || state.status === 'cancelling') return [];
  if (state.tools.some((tool) => goesOn(state, tool))) return [];
  return state.tools.filter((tool) => tool.status === 'awaiting_approval');
}

function goesOn(state: RunState, tool: ToolState): boolean {
  if (isToolEnded(tool.status)) return false;
  if (tool.cancel) return true;
  if (tool.status === 'awaiting_approval') return false;
  return tool.status !== 'pending' || isEligible(state, tool);
}
