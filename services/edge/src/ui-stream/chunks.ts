import type { Json } from '@toolstream/proto-events';
import type { ToolView } from '../translation/tool-view.ts';

/** The chunks of an AI SDK UI message stream that we send. Clients refuse any type outside their own list. */
export type UiChunk =
  | { readonly type: 'start'; readonly messageId: string; readonly messageMetadata: object }
  | {
      readonly type: 'tool-input-available';
      readonly toolCallId: string;
      readonly toolName: string;
      readonly input: unknown;
      /** The page need not know the tool when it is built. */
      readonly dynamic: true;
    }
  | {
      readonly type: 'tool-approval-request';
      readonly approvalId: string;
      readonly toolCallId: string;
      readonly reason: string;
    }
  | {
      readonly type: 'tool-approval-response';
      readonly approvalId: string;
      readonly approved: boolean;
      readonly reason?: string;
    }
  | {
      readonly type: 'tool-output-available';
      readonly toolCallId: string;
      readonly output: unknown;
      readonly preliminary?: true;
    }
  | { readonly type: 'tool-output-error'; readonly toolCallId: string; readonly errorText: string }
  | { readonly type: 'tool-output-denied'; readonly toolCallId: string }
  | { readonly type: 'data-tool-progress'; readonly id: string; readonly data: ToolView }
  | {
      readonly type: 'data-tool-output';
      readonly data: { readonly toolCallId: string; readonly channel: string; readonly text: string };
      readonly transient: true;
    }
  | { readonly type: 'message-metadata'; readonly messageMetadata: object }
  | { readonly type: 'error'; readonly errorText: string }
  | { readonly type: 'abort'; readonly reason: string }
  | { readonly type: 'finish'; readonly finishReason: 'tool-calls' | 'error'; readonly messageMetadata: object };

/** Ends the stream; no JSON. */
export const DONE = '[DONE]';

export interface RunMetadata {
  readonly toolstream: {
    readonly run: string;
    readonly app: string;
    readonly status: string;
    readonly cursor: string;
    readonly [more: string]: Json;
  };
}
