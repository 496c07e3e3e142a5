import type { RunState, ToolState } from '@toolstream/proto-events';
import { z } from 'zod';
import { approvalId } from '../translation/tool-view.ts';
import type { Interrupt } from './events.ts';

/** The payload that answers an interrupt. */
export const answerPayload = z.object({
  approved: z.boolean(),
  /** Replaces the call's arguments as a whole. */
  editedArgs: z.record(z.string(), z.unknown()).nullish(),
  reason: z.string().max(1000).nullish(),
});
export type AnswerPayload = z.infer<typeof answerPayload>;

const RESPONSE_SCHEMA = {
  type: 'object',
  properties: { approved: { type: 'boolean' }, editedArgs: { type: 'object' }, reason: { type: 'string' } },
  required: ['approved'],
};

export function interruptFor(state: RunState, tool: ToolState): Interrupt {
  const reason = tool.approval?.reason ?? 'policy';
  return {
    id: approvalId(state, tool),
    reason: 'tool_call',
    message: messageOf(tool),
    toolCallId: tool.call_id,
    responseSchema: RESPONSE_SCHEMA,
    ...(tool.approval?.expires_at === undefined ? {} : { expiresAt: tool.approval.expires_at }),
    metadata: {
      toolstream: {
        run: state.run_id,
        index: tool.index,
        reason,
        ...(tool.approval === undefined ? {} : { requested_at: tool.approval.requested_at }),
        ...(tool.approval?.request === undefined ? {} : { request: tool.approval.request }),
      },
    },
  };
}

function messageOf({ name, approval }: ToolState): string {
  switch (approval?.reason) {
    case 'lost_attempt':
      return `It is not known how far the last attempt of ${name} came. Run it again?`;
    case 'input':
      return approval.request?.message ?? `${name} needs an answer. Run it again with one?`;
    default:
      return `Run ${name}?`;
  }
}
