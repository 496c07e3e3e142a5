import type { ArtifactRef, Json } from '@toolstream/proto-events';
import {
  type AbortKind,
  type CallInfo,
  type DeleteOptions,
  isToolFailure,
  type ListPage,
  type LogLevel,
  type MetricCounts,
  type ProgressReport,
  type RenameOptions,
  ToolAborted,
  ToolFailure,
  type WorkspaceFile,
  type WorkspaceHead,
} from '@toolstream/tool-kit';
import type { Usage } from './runner.ts';

/** What a tool in a thread or process asks its executor to do. Everything crosses by structured clone. */
export interface Operations {
  progress: { args: [reports: ProgressReport[]]; value: undefined };
  output: { args: [chunks: [channel: string, text: string][]]; value: undefined };
  checkpoint: { args: [state: Json]; value: undefined };
  list: { args: [prefix: string | undefined, options: ListPage | undefined]; value: WorkspaceFile[] };
  head: { args: [path: string]; value: WorkspaceHead | undefined };
  read: { args: [path: string]; value: (WorkspaceHead & { bytes: Uint8Array }) | undefined };
  write: {
    args: [path: string, bytes: Uint8Array, options: { expectedRevision: number; meta?: Json; measured: boolean }];
    value: WorkspaceFile;
  };
  delete: { args: [path: string, options: DeleteOptions]; value: undefined };
  rename: { args: [from: string, to: string, options: RenameOptions]; value: WorkspaceFile };
  /** Without bytes: they are pulled, piece by piece, as the store takes them. */
  putArtifact: {
    args: [bytes: Uint8Array | undefined, options: { contentType?: string; measured: boolean }];
    value: ArtifactRef;
  };
  getArtifact: { args: [ref: ArtifactRef]; value: Uint8Array | undefined };
}
export type Operation = keyof Operations;

/** What a thread or process is given to run. */
export interface Task {
  readonly module: string;
  readonly tool: string;
  readonly args: Json;
  readonly call: CallInfo;
}

export type ToHost =
  | { readonly t: 'ready' }
  /** The call begins; processor time of its thread or process so far. */
  | { readonly t: 'hello'; readonly threadId: number; readonly cpuMs: number }
  | { readonly t: 'call'; readonly id: number; readonly op: Operation; readonly args: unknown[] }
  /** Answers a pull; without bytes: that was all. */
  | { readonly t: 'piece'; readonly id: number; readonly bytes: Uint8Array | undefined }
  | { readonly t: 'broken'; readonly id: number; readonly error: WireError }
  | { readonly t: 'count'; readonly counts: MetricCounts }
  | { readonly t: 'log'; readonly level: LogLevel; readonly message: string; readonly fields?: { [key: string]: Json } }
  | { readonly t: 'done'; readonly result: Json; readonly usage: Usage }
  | { readonly t: 'failed'; readonly error: WireError; readonly usage: Usage }
  /** Nothing handled this error: the thread or process ends. */
  | { readonly t: 'crashed'; readonly message: string };

export type ToTool =
  | { readonly t: 'start'; readonly task: Task }
  | { readonly t: 'value'; readonly id: number; readonly value: unknown }
  | { readonly t: 'error'; readonly id: number; readonly error: WireError }
  | { readonly t: 'bytes'; readonly id: number; readonly written: number; readonly total: number | undefined }
  | { readonly t: 'pull'; readonly id: number }
  | { readonly t: 'abort'; readonly kind: AbortKind; readonly message: string };

/** One end of a message port or of a process's IPC channel. */
export interface Channel<Out, In> {
  post(message: Out): void;
  onMessage(listener: (message: In) => void): void;
  close(): void;
}

export type WireError =
  | { readonly k: 'failure'; code: string; message: string; retryable: boolean; details?: Json }
  | { readonly k: 'aborted'; kind: AbortKind; message: string }
  | { readonly k: 'error'; name: string; message: string; stack?: string };

/** Of whatever was thrown: a tool may throw anything, errors with odd fields and things that are none included. */
export function toWireError(error: unknown): WireError {
  try {
    if (isToolFailure(error)) {
      const { code, message, retryable, details } = error;
      const kept = details === undefined ? {} : { details: JSON.parse(JSON.stringify(details) ?? 'null') as Json };
      return { k: 'failure', code: String(code), message: text(message), retryable: Boolean(retryable), ...kept };
    }
    if (error instanceof ToolAborted) return { k: 'aborted', kind: error.kind, message: error.message };
    if (error instanceof Error) {
      const { name, message, stack } = error;
      const kept = typeof stack === 'string' ? { stack: text(stack) } : {};
      return { k: 'error', name: text(name), message: text(message), ...kept };
    }
    return { k: 'error', name: 'Error', message: `The tool threw what is no error: ${text(printed(error))}` };
  } catch {
    return { k: 'error', name: 'Error', message: 'The tool threw something that cannot be described.' };
  }
}

const TEXT_CHARS = 16_384;
const text = (value: unknown): string => String(value).slice(0, TEXT_CHARS);
const printed = (value: unknown): string => (typeof value === 'object' ? JSON.stringify(value) : String(value));

export function fromWireError(error: WireError): Error {
  switch (error.k) {
    case 'failure':
      return new ToolFailure(error);
    case 'aborted':
      return new ToolAborted(error.kind, error.message);
    case 'error': {
      const made = new Error(error.message);
      made.name = error.name;
      if (error.stack !== undefined) made.stack = error.stack;
      return made;
    }
  }
}
