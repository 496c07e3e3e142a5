import type { ArtifactRef, Json } from '@toolstream/proto-events';

/** A file of the app's workspace as its last write left it. */
export interface WorkspaceFile {
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
  readonly lines?: number | undefined;
  /** Which attempt of which call wrote it last. */
  readonly run: string;
  readonly index: number;
  readonly attempt: number;
  readonly modified_at: string;
  /** What the writing tool chose to keep with it. */
  readonly meta?: Json | undefined;
}

export interface WorkspaceHead {
  readonly file: WorkspaceFile;
  /** Hand it back to `write`: the write lands only if nobody else wrote in between. */
  readonly revision: number;
}

export interface WriteOptions {
  /** Revision read before the change; 0: the file must not exist yet. */
  readonly expectedRevision: number;
  readonly meta?: Json | undefined;
  /** Measured: called as the store takes the bytes. */
  readonly onBytes?: ((written: number, total: number) => void) | undefined;
}

export interface ListPage {
  readonly limit?: number;
  /** Last path of the page before. */
  readonly after?: string;
}

/** The app's files, written in the name of this attempt. Paths are relative; whatever leaves the workspace is refused. */
export interface ToolWorkspace {
  list(prefix?: string, options?: ListPage): Promise<WorkspaceFile[]>;
  head(path: string): Promise<WorkspaceHead | undefined>;
  read(path: string): Promise<(WorkspaceHead & { readonly bytes: Uint8Array }) | undefined>;
  /** Fails with `workspace_conflict` when the file changed since the revision was read. */
  write(path: string, bytes: Uint8Array, options: WriteOptions): Promise<WorkspaceFile>;
}

/** Values too large for events, kept for the run. */
export interface ToolArtifacts {
  put(bytes: Uint8Array): Promise<ArtifactRef>;
  get(ref: ArtifactRef): Promise<Uint8Array | undefined>;
}
