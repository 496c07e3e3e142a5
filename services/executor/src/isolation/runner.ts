import type { Isolation, Json } from '@toolstream/proto-events';
import type { CallInfo, Tool, ToolHost } from '@toolstream/tool-kit';

/** A tool and where its module lies, so that a thread or process can load it too. */
export interface LoadedTool {
  readonly tool: Tool;
  /** URL of the module that exports it. */
  readonly module: string;
  /** For a tool that asks for none: by where it comes from. Default `thread`. */
  readonly defaultIsolation?: Isolation | undefined;
}

export interface Invocation {
  readonly tool: LoadedTool;
  readonly args: Json;
  readonly call: CallInfo;
  readonly host: ToolHost;
  /** Aborted to ask the tool to stop. */
  readonly signal: AbortSignal;
}

/** What a call used, as far as it was measured: an inline call shares its executor's and is not. */
export interface Usage {
  /** Of the thread's heap (with the buffers that it holds) or of the process. */
  readonly memoryPeakBytes?: number | undefined;
  /** Processor time of the thread or process during the call. */
  readonly cpuMs?: number | undefined;
}

export interface Execution {
  /** The tool's result, or what it threw; {@link ToolTerminated} or {@link ToolCrashed} if it did not get so far. */
  readonly result: Promise<Json>;
  /** Ends a tool that does not stop by itself. The result settles once nothing of it runs any more. */
  terminate(): void;
  /** Complete once the result has settled. */
  usage(): Usage;
}

export interface ToolRunner {
  start(invocation: Invocation): Execution;
  close(): Promise<void>;
}

export class ToolTerminated extends Error {
  override readonly name = 'ToolTerminated';
}

/** The thread or process ended without an answer, or had to be ended. */
export class ToolCrashed extends Error {
  override readonly name = 'ToolCrashed';
  /** The same call would most likely run out of memory again. */
  readonly outOfMemory: boolean;

  constructor(message: string, options: { outOfMemory?: boolean; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.outOfMemory = options.outOfMemory ?? false;
  }
}

const MIB = 1024 * 1024;

/** `limitMb` is what the call was allowed. */
export const outOfMemory = (what: 'thread' | 'process', limitMb: number, cause?: unknown): ToolCrashed =>
  new ToolCrashed(`The tool needed more than the ${limitMb} MiB of memory that its ${what} may have.`, {
    outOfMemory: true,
    cause,
  });

export const bytesOf = (mib: number): number => mib * MIB;

/** The larger of two measurements of the same thing. */
export const larger = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined ? (a ?? b) : Math.max(a, b);
