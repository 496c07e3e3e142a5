import type { RunState, ToolState } from '@toolstream/proto-events';

/** Changes one tool; the others, and a tool that does not change, keep their object identity. */
export function replaceTool(state: RunState, index: number, change: (tool: ToolState) => ToolState): RunState {
  const tool = state.tools[index];
  if (!tool) return state;
  const changed = change(tool);
  if (changed === tool) return state;
  const tools = state.tools.slice();
  tools[index] = changed;
  return { ...state, tools };
}
