import { callResults } from '@toolstream/domain';
import { isToolEnded, type Json, type RunState, type ToolError, type ToolState } from '@toolstream/proto-events';

/** How a tool call is doing, as interfaces other than our own show it. Absent: not known, or not so. */
export interface ToolView {
  readonly toolCallId: string;
  readonly toolName: string;
  readonly index: number;
  /** The call's status; `paused` while its run is and it has not ended or waits for an approval. */
  readonly status: string;
  readonly attempt: number;
  readonly stage?: string;
  readonly message?: string;
  /** Measured, 0 to 100. */
  readonly progress?: number;
  readonly details?: Record<string, Json>;
  readonly estimatedDurationMs: number;
  readonly retryAt?: string;
  readonly approval?: {
    readonly id: string;
    readonly reason: string;
    readonly decision?: string;
    readonly expiresAt?: string;
  };
  /** What an approved call runs with: the approval may have changed it. */
  readonly arguments?: Json;
  readonly error?: ToolError;
  readonly durationMs?: number;
}

export function toolView(run: RunState, tool: ToolState): ToolView {
  const { progress, approval, metrics } = tool;
  const error = errorOf(run, tool);
  const shown = !isToolEnded(tool.status) || tool.status === 'succeeded' || tool.status === 'failed';
  return {
    toolCallId: tool.call_id,
    toolName: tool.name,
    index: tool.index,
    status: shownStatus(run, tool),
    attempt: tool.attempt,
    ...(progress && shown
      ? {
          stage: progress.stage,
          ...(progress.message === undefined ? {} : { message: progress.message }),
          ...(progress.progress === undefined ? {} : { progress: progress.progress }),
          ...(progress.details === undefined ? {} : { details: progress.details }),
        }
      : {}),
    estimatedDurationMs: tool.estimated_duration_ms,
    ...(tool.retry_at === undefined ? {} : { retryAt: tool.retry_at }),
    ...(approval === undefined
      ? {}
      : {
          approval: {
            id: approvalId(run, tool),
            reason: approval.reason,
            ...(approval.decision === undefined ? {} : { decision: approval.decision }),
            ...(approval.expires_at === undefined ? {} : { expiresAt: approval.expires_at }),
          },
        }),
    ...(approval?.decision === 'approved' ? { arguments: tool.arguments } : {}),
    ...(error ? { error: { code: error.code, message: error.message } } : {}),
    ...(metrics?.duration_ms === undefined ? {} : { durationMs: metrics.duration_ms }),
  };
}

function shownStatus(run: RunState, tool: ToolState): string {
  const held = run.status === 'paused' && !isToolEnded(tool.status) && tool.status !== 'awaiting_approval';
  return held ? 'paused' : tool.status;
}

/** Of an ended call what the model is told; of one that is tried again what the last attempt failed with. */
function errorOf(run: RunState, tool: ToolState): ToolError | undefined {
  if (tool.status === 'succeeded') return undefined;
  return isToolEnded(tool.status) ? callResults(run)[tool.index]?.error : tool.error;
}

/** One request for one approval: the same call may be asked about again, and then this is another one. */
export const approvalId = (run: RunState, { index, approval }: ToolState): string =>
  `${run.run_id}:${index}:${Date.parse(approval?.requested_at ?? '') || 0}`;

const APPROVAL_ID = /^(\d{1,4}-[0-9A-Z]{26}):(\d{1,3}):(\d{1,15})$/;

export function parseApprovalId(id: string): { run: string; index: number } | undefined {
  const match = APPROVAL_ID.exec(id);
  return match ? { run: match[1]!, index: Number(match[2]) } : undefined;
}
