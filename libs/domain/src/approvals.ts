import { type Approvers, isRunEnded, isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import { isEligible } from './eligible.ts';
import { between, laterOf, plus } from './time.ts';

/** Who denies what nobody answered. */
export const APPROVAL_EXPIRY_ACTOR = 'toolstream';

/** Whether this caller, of whom `runs:control` is known, may approve or deny the call. */
export function mayAnswer(
  { approvers = 'control' }: { readonly approvers?: Approvers | undefined },
  { actor, admin = false }: { readonly actor: string; readonly admin?: boolean | undefined },
): boolean {
  if (admin || approvers === 'control') return true;
  return approvers !== 'admin' && approvers.includes(actor);
}

/** When an approval that is asked for now is denied if nobody answers; `undefined`: never. */
export const approvalExpiry = ({ approval_timeout_ms }: ToolState, at: string): string | undefined =>
  approval_timeout_ms === undefined ? undefined : plus(at, approval_timeout_ms);

/** A pause is over: what it took does not count for those who were waited for. */
export function afterPause(tool: ToolState, pausedAt: string, at: string): ToolState {
  const { approval } = tool;
  if (tool.status !== 'awaiting_approval' || approval?.expires_at === undefined) return tool;
  const expires_at = plus(approval.expires_at, between(laterOf(pausedAt, approval.requested_at), at));
  return { ...tool, approval: { ...approval, expires_at } };
}

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
