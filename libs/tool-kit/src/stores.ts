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

export interface DeleteOptions {
  /** Revision read before: only the file that was looked at is deleted. */
  readonly expectedRevision: number;
}

export interface RenameOptions {
  /** Revision of the source, read before. */
  readonly expectedRevision: number;
  /** Of the file that is replaced. Default 0: nothing may be there. */
  readonly expectedTargetRevision?: number | undefined;
  /** Kept with the file under its new path. */
  readonly meta?: Json | undefined;
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
  /**
   * Fails with `workspace_conflict` when the file changed since the revision was read, or is not there. Where an earlier attempt
   * of this very call deleted it (`head` finds nothing: expect 0), it is done already and resolves.
   */
  delete(path: string, options: DeleteOptions): Promise<void>;
  /**
   * Fails with `workspace_conflict` when the source changed or is not there, or the target is not as expected. Where an earlier
   * attempt of this very call renamed it (`head` of the source finds nothing: expect 0), it gives the file at the target.
   */
  rename(from: string, to: string, options: RenameOptions): Promise<WorkspaceFile>;
}

/** A stream (of Node or of the web: a response's body) is read only as fast as the store takes it. */
export type ArtifactSource = Uint8Array | string | AsyncIterable<Uint8Array>;

export interface PutArtifactOptions {
  /** Measured: called as the store takes the bytes; a `total` only where it is known beforehand. */
  readonly onBytes?: ((written: number, total: number | undefined) => void) | undefined;
  /** What a browser is told when it fetches the artifact, for example `image/png`. */
  readonly contentType?: string | undefined;
}

/** Values too large for events, kept for the run. */
export interface ToolArtifacts {
  put(source: ArtifactSource, options?: PutArtifactOptions): Promise<ArtifactRef>;
  get(ref: ArtifactRef): Promise<Uint8Array | undefined>;
}
