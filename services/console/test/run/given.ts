import type { RunState, ToolState } from '@toolstream/proto-events';
import { runState, toolState } from '../../../../test/support/states.ts';

export const T0 = Date.UTC(2026, 0, 1, 12);
export const at = (ms: number): string => new Date(T0 + ms).toISOString();

export const call = toolState;

/** A state as it stands, for what reads states: no history leads to it. */
export const run = (tools: readonly ToolState[], over: Partial<RunState> = {}): RunState =>
  runState(at(0), tools, over);

export const ended = (index: number, over: Partial<ToolState> = {}): ToolState =>
  call(index, { status: 'succeeded', attempt: 1, started_at: at(0), ended_at: at(500), ...over });
