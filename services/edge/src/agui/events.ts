import type { Json } from '@toolstream/proto-events';

/** Ours within `metadata`: where the event stands in the run's log. */
export interface AguiMetadata {
  readonly toolstream: { readonly run: string; readonly cursor: string; readonly [more: string]: Json };
}

export interface PatchOperation {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

export interface Interrupt {
  readonly id: string;
  readonly reason: string;
  readonly message: string;
  readonly toolCallId: string;
  readonly responseSchema: object;
  readonly expiresAt?: string;
  readonly metadata: object;
}

export type Outcome =
  | { readonly type: 'success'; readonly pendingToolCallIds?: readonly string[] }
  | { readonly type: 'interrupt'; readonly interrupts: readonly Interrupt[] }
  | { readonly type: 'cancelled' };

/** The AG-UI 1.0 events that we send. An optional field is absent where it says nothing: `null` is fatal to clients. */
export type AguiEvent = (
  | {
      readonly type: 'RUN_STARTED';
      readonly threadId: string;
      readonly runId: string;
      readonly protocolVersion: '1.0';
      readonly parentRunId?: string;
    }
  | {
      readonly type: 'TOOL_CALL_START';
      readonly toolCallId: string;
      readonly toolCallName: string;
      readonly parentMessageId: string;
    }
  | { readonly type: 'TOOL_CALL_ARGS'; readonly toolCallId: string; readonly delta: string }
  | { readonly type: 'TOOL_CALL_END'; readonly toolCallId: string }
  | {
      readonly type: 'TOOL_CALL_RESULT';
      readonly messageId: string;
      readonly toolCallId: string;
      readonly role: 'tool';
      readonly content: string;
    }
  | {
      readonly type: 'ACTIVITY_SNAPSHOT';
      readonly messageId: string;
      readonly activityType: string;
      readonly content: object;
      readonly replace: true;
    }
  | {
      readonly type: 'ACTIVITY_DELTA';
      readonly messageId: string;
      readonly activityType: string;
      readonly patch: readonly PatchOperation[];
    }
  | { readonly type: 'CUSTOM'; readonly name: string; readonly value: object }
  | { readonly type: 'RUN_ERROR'; readonly message: string; readonly code: string }
  | {
      readonly type: 'RUN_FINISHED';
      readonly threadId: string;
      readonly runId: string;
      readonly outcome: Outcome;
      readonly result?: object;
    }
) & { readonly timestamp?: number; readonly metadata?: AguiMetadata | object };
