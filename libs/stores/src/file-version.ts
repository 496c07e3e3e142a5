import type { Json } from '@toolstream/proto-events';

/** A file: what it holds, and which tool call wrote it last. */
export interface WorkspaceEntry {
  readonly path: string;
  readonly object: string;
  readonly size: number;
  readonly sha256: string;
  /** Absent where the file is no text. */
  readonly lines?: number;
  readonly run: string;
  readonly index: number;
  readonly attempt: number;
  readonly modified_at: string;
  /** What the writer wants a retry of its call to find: its result, for instance. */
  readonly meta?: Json;
  /** Content before this one: kept until the next write, for readers that are still at it. */
  readonly previous?: string;
}

export interface FileVersion {
  readonly entry: WorkspaceEntry;
  /** What a write that follows from this version expects. */
  readonly revision: number;
}
