import { runState, toolState } from '../../../test/support/states.ts';
import type { RunState, ToolState } from '../src/index.ts';

export const BEGIN = Date.parse('2026-01-01T00:00:00.000Z');
export const at = (seconds: number): string => new Date(BEGIN + 1000 * seconds).toISOString();
export const after = (seconds: number): number => BEGIN + 1000 * seconds;

/** A call that is expected to take 10 s, with what the test is about. */
export const aTool = (index: number, more: Partial<ToolState> = {}): ToolState =>
  toolState(index, { estimated_duration_ms: 10_000, ...more });

export const running = (seconds: number, more: Partial<ToolState> = {}): Partial<ToolState> => ({
  status: 'running',
  attempt: 1,
  started_at: at(seconds),
  ...more,
});
export const succeeded = (from: number, to: number, more: Partial<ToolState> = {}): Partial<ToolState> => ({
  ...running(from),
  status: 'succeeded',
  ended_at: at(to),
  metrics: { duration_ms: 1000 * (to - from) },
  ...more,
});

export const aRun = (tools: Partial<ToolState>[], more: Partial<RunState> = {}): RunState =>
  runState(
    at(0),
    tools.map((tool, index) => aTool(index, tool)),
    more,
  );
