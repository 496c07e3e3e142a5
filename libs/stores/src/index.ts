export { type ArtifactMeta, type ArtifactScope, Artifacts, type InlineOptions, openArtifacts } from './artifacts.ts';
export { ARTIFACTS_BUCKET, type BucketOptions, FILES_BUCKET, WORKSPACE_BUCKET } from './buckets.ts';
export { type StoresConfig, storesConfig, storesConfigProblems } from './config.ts';
export type { ByteRange, Source } from './content.ts';
export {
  ContentMissingError,
  ContentTooLargeError,
  PathError,
  StoreError,
  StoreFullError,
  StoreRefusedError,
  StoresStartError,
  StoreUnavailableError,
  WorkspaceConflictError,
} from './errors.ts';
export type { Change, Deletion, FileVersion, PastVersion, WorkspaceEntry } from './file-version.ts';
export { type OpenOptions, openStores, type Stores } from './open-stores.ts';
export { normalisePath, type Scope } from './path.ts';
export {
  AppWorkspace,
  type ChangeOptions,
  type ListOptions,
  openWorkspace,
  type RenameOptions,
  type Workspace,
  type WriteOptions,
} from './workspace.ts';
