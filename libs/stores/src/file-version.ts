import type { Json } from '@toolstream/proto-events';

/** Which attempt of which tool call changed a path last, and when. */
export interface Change {
  readonly path: string;
  readonly run: string;
  readonly index: number;
  readonly attempt: number;
  readonly modified_at: string;
  /** What the tool wants a retry of its call to find: its result, for instance. */
  readonly meta?: Json;
}

/** A file: what it holds, and which tool call wrote it last. */
export interface WorkspaceEntry extends Change {
  readonly object: string;
  readonly size: number;
  readonly sha256: string;
  /** Absent where the file is no text. */
  readonly lines?: number;
  /** Content before this one: kept until the next change, for readers that are still at it. */
  readonly previous?: string;
  /** Where the file was before, if a rename put it here. */
  readonly moved_from?: string;
  /** Of the rename that put it here. */
  readonly change?: string;
  /** Of the deletion that stood here before. */
  readonly follows?: string;
  /** What stood here before, newest first, within the bounds of `history.ts`. */
  readonly history?: readonly PastVersion[];
}

/** An earlier version of a file, or that there was none. Its content is there as long as it has an `object`. */
export interface PastVersion extends Omit<Change, 'path' | 'meta'> {
  /** Where it stood, if that was elsewhere. */
  readonly path?: string;
  readonly object?: string;
  readonly size?: number;
  readonly sha256?: string;
  readonly lines?: number;
  readonly moved_from?: string;
  /** There was no file before it. */
  readonly created?: true;
  /** The file was deleted, or renamed to `moved_to`. */
  readonly deleted?: true;
  readonly moved_to?: string;
}

/**
 * What a deletion, or a rename, leaves at the path. To every reader the file does not exist; a retry finds here that its own
 * call has done it. It goes away by itself after 30 days, longer than a run may take.
 */
export interface Deletion extends Change {
  readonly deleted: true;
  readonly change: string;
  /** What was deleted; absent where it lives on under another path. */
  readonly object?: string;
  readonly moved_to?: string;
  /** Who had written what was here, without the contents. */
  readonly history?: readonly PastVersion[];
}

export interface FileVersion {
  readonly entry: WorkspaceEntry;
  /** What a write that follows from this version expects. */
  readonly revision: number;
}

export const isDeletion = (stored: WorkspaceEntry | Deletion): stored is Deletion => 'deleted' in stored;
