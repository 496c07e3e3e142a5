import type { Readable } from 'node:stream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ArtifactRef, Job, Json } from '@toolstream/proto-events';
import {
  openStores as openSharedStores,
  PathError,
  StoreError,
  StoreUnavailableError,
  WorkspaceConflictError,
  type WorkspaceEntry,
} from '@toolstream/stores';
import {
  type ToolArtifacts,
  ToolFailure,
  type ToolWorkspace,
  type WorkspaceFile,
  type WorkspaceHead,
} from '@toolstream/tool-kit';

/** The stores as one attempt sees them: in its tenant, app and name. */
export interface AttemptStores {
  readonly workspace: ToolWorkspace;
  readonly artifacts: ToolArtifacts;
  /** The value, or the artifact that holds it if it is too large for an event. */
  fit(value: Json): Promise<Json>;
  /** Puts the content of artifacts back where they are referred to. */
  resolve(value: Json): Promise<Json>;
  keepOutput(content: Readable): Promise<ArtifactRef>;
}

export type StoresFor = (job: Job, attempt: number, signal: AbortSignal) => AttemptStores;

export async function openStores(
  nc: NatsConnection,
  config: Parameters<typeof openSharedStores>[1] = {},
): Promise<StoresFor> {
  const { workspace: files, artifacts: values } = await openSharedStores(nc, config);
  return ({ tenant, app, run, index }, attempt, signal) => {
    const workspace = files.at({ tenant, app });
    return {
      workspace: {
        list: (prefix, options) => asTool(async () => (await workspace.list(prefix, options)).map(toFile)),
        head: (path) => asTool(async () => toHead(await workspace.head(path))),
        read: (path) =>
          asTool(async () => {
            const found = await workspace.read(path);
            return found && { file: toFile(found.entry), revision: found.revision, bytes: found.bytes };
          }),
        write: (path, bytes, { expectedRevision, meta, onBytes }) =>
          asTool(async () => {
            const measured = onBytes && ((written: number) => onBytes(written, bytes.byteLength));
            const options = { run, index, attempt, expectedRevision, meta, onBytes: measured, signal };
            return toFile(await workspace.write(path, bytes, options));
          }),
        delete: (path, { expectedRevision }) =>
          asTool(async () => {
            signal.throwIfAborted();
            await workspace.delete(path, { run, index, attempt, expectedRevision });
          }),
        rename: (from, to, options) =>
          asTool(async () => {
            signal.throwIfAborted();
            return toFile(await workspace.rename(from, to, { ...options, run, index, attempt }));
          }),
      },
      artifacts: {
        put: (source, { onBytes } = {}) =>
          asTool(() => {
            const content = typeof source === 'string' ? Buffer.from(source) : source;
            return values.put(content, { tenant, run, kind: 'tool', onBytes, signal });
          }),
        get: (ref) => asTool(() => values.get(ref, { tenant })),
      },
      fit: (value) => values.putJsonIfLarge(value, { tenant, run, kind: 'value' }),
      resolve: (value) => values.resolve(value, { tenant }),
      keepOutput: (content) => values.put(content, { tenant, run, kind: 'output' }),
    };
  };
}

/** Store errors reach a tool as failures that say whether a fresh attempt could do better. */
async function asTool<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    // A fresh attempt reads the file anew and may find the change welcome.
    const retryable = error instanceof WorkspaceConflictError || error instanceof StoreUnavailableError;
    const code = error instanceof PathError || retryable ? error.code : `store_${error.code.replace(/^store_/, '')}`;
    throw new ToolFailure({ code, message: error.message, retryable, cause: error });
  }
}

function toFile({ path, size, sha256, lines, run, index, attempt, modified_at, meta }: WorkspaceEntry): WorkspaceFile {
  return { path, size, sha256, lines, run, index, attempt, modified_at, meta };
}

const toHead = (found: { entry: WorkspaceEntry; revision: number } | undefined): WorkspaceHead | undefined =>
  found && { file: toFile(found.entry), revision: found.revision };
