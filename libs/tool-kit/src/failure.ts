import { type InputRequest, inputRequest, type Json, type toolErrorCodes } from '@toolstream/proto-events';

export type ToolErrorCode = keyof typeof toolErrorCodes | (string & {});

export interface ToolFailureInit {
  /** Stable, at most 64 characters; one of Toolstream's own or the tool's. */
  readonly code: ToolErrorCode;
  /** What happened and what to do about it: the model reads this. */
  readonly message: string;
  /** May the same call, run again, succeed? Default: no. */
  readonly retryable?: boolean;
  readonly details?: Json;
  readonly cause?: unknown;
}

const MARK = Symbol.for('toolstream.tool-failure');

/**
 * A tool's deliberate "no": it ends the attempt with this code. Anything else that a tool throws becomes `tool_error`,
 * retried when the tool is idempotent.
 */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
  readonly [MARK] = true;
  readonly code: string;
  readonly retryable: boolean;
  readonly details: Json | undefined;

  constructor(init: ToolFailureInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.code = init.code.slice(0, 64) || 'tool_error';
    this.retryable = init.retryable ?? false;
    this.details = init.details;
  }
}

/** Recognises failures of another copy of this package too: a tool module may bring its own. */
export const isToolFailure = (error: unknown): error is ToolFailure =>
  error instanceof Error && (error as { [MARK]?: boolean })[MARK] === true;

const INPUT_NEEDED = 'input_needed';
const MESSAGE_CHARS = 4096;

/**
 * Thrown by a tool that cannot go on without a person's answer. The call hands itself back and is asked for as an approval,
 * with this request; approved, it runs anew with the arguments that the approver may have edited.
 */
export const inputNeeded = ({ message, schema }: InputRequest): ToolFailure =>
  new ToolFailure({
    code: INPUT_NEEDED,
    message,
    details: { message: message.slice(0, MESSAGE_CHARS), ...(schema === undefined ? {} : { schema }) },
  });

/** What a failure asks a person, if it is one that does; a tool may have made it by hand. */
export function inputRequestOf(thrown: unknown): InputRequest | undefined {
  if (!isToolFailure(thrown) || thrown.code !== INPUT_NEEDED) return undefined;
  return inputRequest.catch({ message: thrown.message.slice(0, MESSAGE_CHARS) }).parse(thrown.details);
}

export type AbortKind = 'cancel' | 'timeout' | 'drain' | 'paused' | 'fenced';

/**
 * The reason of a context's `signal`, and what every later call on the context throws. A tool that lets it through ends
 * as it should; there is no need to handle it.
 */
export class ToolAborted extends Error {
  override readonly name = 'ToolAborted';
  readonly kind: AbortKind;

  constructor(kind: AbortKind, message: string) {
    super(message);
    this.kind = kind;
  }
}
