import { isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';

/** Sequential calls wait for the end of the one before, whatever that end; in a graph, for the end of what they name. */
export function isEligible(state: RunState, tool: ToolState): boolean {
  const ended = (i: number): boolean => isToolEnded(state.tools[i]?.status ?? 'pending');
  switch (state.ordering) {
    case 'parallel':
      return true;
    case 'sequential':
      return tool.index === 0 || ended(tool.index - 1);
    case 'graph':
      return tool.depends_on.every(ended);
  }
}
