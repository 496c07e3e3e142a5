import { isRunEnded, type RunState } from '@toolstream/proto-events';
import { breakingOf } from '../translation/breaking.ts';
import type { AguiEvent } from './events.ts';

/**
 * The last word about a run. Calls that failed are answered as such and the agent can go on with that, so to AG-UI it is a
 * success; how the run ended is in the result. A cancelled run has no result.
 */
export function ending(
  stream: { readonly threadId: string; readonly runId: string; readonly pending: readonly string[] },
  state: RunState | undefined,
): AguiEvent {
  if (!state || !isRunEnded(state.status)) {
    return { type: 'RUN_ERROR', code: 'internal', message: 'The run has ended, but how is not known here.' };
  }
  const { threadId, runId, pending } = stream;
  const { run_id, status, error, summary } = state;
  const broken = breakingOf(state);
  if (broken) return { type: 'RUN_ERROR', code: broken.code, message: broken.message };
  if (status === 'cancelled') return { type: 'RUN_FINISHED', threadId, runId, outcome: { type: 'cancelled' } };
  return {
    type: 'RUN_FINISHED',
    threadId,
    runId,
    outcome: success(pending),
    result: { run_id, status, ...(summary ? { summary } : {}), ...(error ? { error } : {}) },
  };
}

export const success = (pending: readonly string[]): { type: 'success'; pendingToolCallIds?: readonly string[] } =>
  pending.length === 0 ? { type: 'success' } : { type: 'success', pendingToolCallIds: [...pending] };
