import type { Json } from '@toolstream/proto-events';
import type { CallInfo, Tool, ToolHost } from '@toolstream/tool-kit';

/** A tool and where its module lies, so that a thread or process can load it too. */
export interface LoadedTool {
  readonly tool: Tool;
  /** URL of the module that exports it. */
  readonly module: string;
}

export interface Invocation {
  readonly tool: LoadedTool;
  readonly args: Json;
  readonly call: CallInfo;
  readonly host: ToolHost;
  /** Aborted to ask the tool to stop. */
  readonly signal: AbortSignal;
}

export interface Execution {
  /** The tool's result, or what it threw; {@link ToolTerminated} or {@link ToolCrashed} if it did not get so far. */
  readonly result: Promise<Json>;
  /** Ends a tool that does not stop by itself. The result settles once nothing of it runs any more. */
  terminate(): void;
  /** Of the thread's heap or the process, where measured. */
  memoryPeakBytes(): number | undefined;
}

export interface ToolRunner {
  start(invocation: Invocation): Execution;
  close(): Promise<void>;
}

export class ToolTerminated extends Error {
  override readonly name = 'ToolTerminated';
}

/** The thread or process ended without an answer. */
export class ToolCrashed extends Error {
  override readonly name = 'ToolCrashed';
  /** The same call would end the same way, for example out of memory. */
  readonly repeats: boolean;

  constructor(message: string, options: { repeats?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.repeats = options.repeats ?? false;
  }
}
