import type { RunState } from '@toolstream/proto-events';
import { plus, toMillis } from './time.ts';

/** Milliseconds after a cancel request at which the orchestrator takes a tool from an attempt that has not ended it. */
export const ABANDON_AFTER_MS = 10_000;

/** When the running time is used up if no further pause comes; `undefined` while nothing runs. */
export function runDeadline(state: RunState): string | undefined {
  if (state.started_at === undefined || state.paused_at !== undefined) return undefined;
  return plus(state.started_at, state.timeout_ms + state.paused_ms);
}

export const runExpiry = (state: RunState): string => plus(state.accepted_at, state.max_age_ms);
export const isDue = (deadline: string, at: string): boolean => toMillis(at) >= toMillis(deadline);
export const abandonDue = (requestedAt: string): string => plus(requestedAt, ABANDON_AFTER_MS);
