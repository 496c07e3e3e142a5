import type { ErrorCode, EventData, EventType, Json, RunState, Timer, ToolstreamEvent } from '@toolstream/proto-events';

/** An event and its stream sequence: what the fold consumes. */
export interface Recorded {
  readonly event: ToolstreamEvent;
  readonly seq: number;
}

/** An event to append, before it has an id, a time and an envelope. */
export type Draft = {
  [T in EventType]: {
    readonly type: T;
    readonly data: EventData<T>;
    /** Whose subject it goes to: the run's, or the tool's with this index. */
    readonly writer: 'run' | number;
    readonly toolindex?: number;
    readonly attempt?: number;
    readonly actor?: string;
    /** Set for what a command made: the id by which its repetition is recognised. */
    readonly id?: string;
  };
}[EventType];

/** The present, as an argument. `random` is in [0, 1). */
export interface Now {
  readonly at: string;
  readonly random: number;
}

export interface Rejection {
  readonly code: ErrorCode;
  readonly message: string;
}

interface Asked {
  /** The caller's id for this command. */
  readonly id: string;
  readonly actor: string;
  /** The caller may do everything in the tenant. */
  readonly admin?: boolean | undefined;
  readonly reason?: string | undefined;
}
export type Command =
  | { readonly type: 'advance' }
  | ({ readonly type: 'pause' | 'resume' | 'cancel' } & Asked)
  | ({ readonly type: 'cancel_tool' | 'deny_tool'; readonly index: number } & Asked)
  | ({
      readonly type: 'retry_tool';
      readonly index: number;
      /** Only if this dispatch is what ended the call as a dead letter, and nothing has happened to it since. */
      readonly dead?: number | undefined;
    } & Asked)
  | ({
      readonly type: 'approve_tool';
      readonly index: number;
      readonly arguments?: Json | undefined;
      /** Why the arguments do not fit the tool: checked outside, where its schema is. */
      readonly misfit?: string | undefined;
    } & Asked)
  | { readonly type: 'timer'; readonly timer: Timer }
  | { readonly type: 'dead_letter'; readonly index: number; readonly dispatch: number; readonly message: string };

export type Decision =
  /** `seq`: the event that already made it so, with which the command is answered whatever is appended. */
  | { readonly ok: true; readonly drafts: readonly Draft[]; readonly seq?: number }
  | { readonly ok: false; readonly rejection: Rejection };

export const accept = (...drafts: Draft[]): Decision => ({ ok: true, drafts });
export const already = (seq: number): Decision => ({ ok: true, drafts: [], seq });
export const reject = (code: ErrorCode, message: string): Decision => ({ ok: false, rejection: { code, message } });

export type { RunState };
