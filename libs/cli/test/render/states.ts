import type { RunState, ToolState } from '@toolstream/proto-events';
import { runState, toolState } from '../../../../test/support/states.ts';

export const at = (ms: number): string => new Date(Date.UTC(2026, 0, 1) + ms).toISOString();
export const nowAt = (ms: number): number => Date.UTC(2026, 0, 1) + ms;

export const aTool = (index: number, more: Partial<ToolState> = {}): ToolState =>
  toolState(index, { arguments: { file_path: `src/file-${index}.ts`, content: '…' }, ...more });

export const aRun = (tools: ToolState[], more: Partial<RunState> = {}): RunState =>
  runState(at(0), tools, { ordering: 'graph', ...more });
