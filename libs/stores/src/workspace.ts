import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Json } from '@toolstream/proto-events';
import { type BucketOptions, FILES_BUCKET, openContent, openIndex, WORKSPACE_BUCKET } from './buckets.ts';
import { type ByteRange, type ContentStore, type OpenContent, readAll, type Source } from './content.ts';
import { ContentMissingError, PathError, WorkspaceConflictError } from './errors.ts';
import { conflict, FileIndex, isAt, type Position } from './file-index.ts';
import type { Deletion, FileVersion, WorkspaceEntry } from './file-version.ts';
import { normalisePath, type Scope, scopeKey } from './path.ts';

export interface ChangeOptions {
  readonly run: string;
  readonly index: number;
  readonly attempt: number;
  /** The revision read at the attempt's start; 0: the file must not exist. */
  readonly expectedRevision: number;
  /** At most 16 KiB of JSON. */
  readonly meta?: Json | undefined;
}

export interface RenameOptions extends ChangeOptions {
  /** Of the file that is replaced. Default 0: nothing may be there. */
  readonly expectedTargetRevision?: number | undefined;
}

export interface WriteOptions extends ChangeOptions {
  readonly onBytes?: ((written: number, total: number | undefined) => void) | undefined;
  /** Honoured until the content is stored; what comes after is one decision that is not left open. */
  readonly signal?: AbortSignal | undefined;
}

export interface ListOptions {
  /** At most 1,000, the default. */
  readonly limit?: number;
  /** Last path of the page before. */
  readonly after?: string;
}

const MAX_PAGE = 1_000;
const MAX_META_BYTES = 16 * 1024;
const READ_LIMIT_BYTES = 64 * 1024 * 1024;
/** A content may be replaced twice between reading the entry and reading the content; hardly ever three times in a row. */
const READ_TRIES = 4;

export interface Workspace {
  at(scope: Scope): AppWorkspace;
  /** Resolves when deletions of replaced contents have ended. */
  idle(): Promise<void>;
}

export async function openWorkspace(nc: NatsConnection, options: BucketOptions = {}): Promise<Workspace> {
  const content = await openContent(nc, WORKSPACE_BUCKET, 'Contents of workspace files', options);
  const kv = await openIndex(nc, FILES_BUCKET, 'Workspace files: <tenant>.<app>.<base64url(path)>', options);
  return workspaceOver(content, await FileIndex.over(nc, kv));
}

export function workspaceOver(content: ContentStore, index: FileIndex): Workspace {
  return { at: (scope) => new AppWorkspace(content, index, scope), idle: () => content.idle() };
}

/** The files of one app. Paths are normalised on every way in. */
export class AppWorkspace {
  readonly #content: ContentStore;
  readonly #index: FileIndex;
  readonly #scope: Scope;

  constructor(content: ContentStore, index: FileIndex, scope: Scope) {
    scopeKey(scope);
    this.#content = content;
    this.#index = index;
    this.#scope = { tenant: scope.tenant, app: scope.app };
  }

  /** In order of the paths, by UTF-16 code units. `prefix` is compared as text: end it with `/` to mean a folder. */
  list(prefix = '', { limit = MAX_PAGE, after }: ListOptions = {}): Promise<WorkspaceEntry[]> {
    const page = Math.max(1, Math.min(limit, MAX_PAGE));
    return this.#index.list(this.#scope, prefix.normalize('NFC'), after, page);
  }

  head(path: string): Promise<FileVersion | undefined> {
    return this.#index.find(this.#scope, normalisePath(path));
  }

  /** The whole file; `ContentTooLargeError` beyond `maxBytes` (64 MiB). */
  async read(
    path: string,
    { maxBytes = READ_LIMIT_BYTES }: { readonly maxBytes?: number } = {},
  ): Promise<(FileVersion & { readonly bytes: Uint8Array }) | undefined> {
    return this.#latest(path, async (version, content) => ({ ...version, bytes: await readAll(content, maxBytes) }));
  }

  /** The file as a stream, read as fast as it is consumed. It throws where the file is replaced twice meanwhile. */
  async stream(
    path: string,
  ): Promise<(FileVersion & { chunks(range?: ByteRange): AsyncIterable<Uint8Array> }) | undefined> {
    return this.#latest(path, async (version, content) => ({ ...version, chunks: (range) => content.chunks(range) }));
  }

  /**
   * Content first, then the entry with the expected revision: a crash in between leaves an orphan object and the old file; a
   * second write from the same revision is refused. Throws `WorkspaceConflictError`, and then nothing has changed.
   */
  async write(
    path: string,
    source: Source,
    options: WriteOptions,
  ): Promise<WorkspaceEntry & { readonly revision: number }> {
    const { run, index, attempt, expectedRevision, meta, onBytes, signal } = options;
    const target = normalisePath(path);
    checkMeta(meta);
    const before = await this.#index.expect(this.#scope, target, expectedRevision);
    const scope = `${this.#scope.tenant}.${run}.${index}.${attempt}`;
    const unique = randomBytes(8).toString('hex');
    const name = { scope, last: (sha256: string) => `${unique}-${sha256}` };
    const { name: object, ...written } = await this.#content.put(name, source, { onBytes, signal });
    const entry: WorkspaceEntry = {
      path: target,
      object,
      ...written,
      run,
      index,
      attempt,
      modified_at: new Date().toISOString(),
      ...(meta === undefined ? {} : { meta }),
      ...followed(before),
    };
    try {
      const revision = await this.#index.replace(this.#scope, entry, before.revision);
      if (before.entry?.previous !== undefined) this.#content.discard(before.entry.previous);
      return { ...entry, revision };
    } catch (error) {
      // Only a certain refusal makes the object garbage; an update without an answer may still have landed.
      if (error instanceof WorkspaceConflictError) this.#content.discard(object);
      throw error;
    }
  }

  /**
   * Deletes the file that was looked at, and its contents. A retry whose call has deleted it already gets that deletion,
   * whatever revision it expects (it read 0, as the file is gone). Throws `WorkspaceConflictError`, and then nothing has changed.
   */
  async delete(path: string, options: ChangeOptions): Promise<Deletion & { readonly revision: number }> {
    const { run, index, attempt, expectedRevision, meta } = options;
    const target = normalisePath(path);
    checkMeta(meta);
    const before = await this.#index.position(this.#scope, target);
    if (before.entry === undefined || !isAt(before, expectedRevision)) {
      if (!isOwn(before.deletion, options) || before.deletion.object === undefined) {
        throw conflict(target, expectedRevision, before);
      }
      this.#content.discard(before.deletion.object);
      return { ...before.deletion, revision: before.revision };
    }
    const { object, previous } = before.entry;
    const by = { path: target, run, index, attempt, ...changeNow(meta) };
    const deletion: Deletion = { ...by, deleted: true, object };
    const revision = await this.#index.remove(this.#scope, deletion, before.revision);
    this.#content.discard(object);
    if (previous !== undefined) this.#content.discard(previous);
    return { ...deletion, revision };
  }

  /**
   * Moves the file in one step: at any time it stands at one of the two paths. A retry whose call has moved it already gets
   * what stands at the new one. Throws `WorkspaceConflictError` for whichever path is not as expected, and then nothing has changed.
   */
  async rename(
    from: string,
    to: string,
    options: RenameOptions,
  ): Promise<WorkspaceEntry & { readonly revision: number }> {
    const { run, index, attempt, expectedRevision, expectedTargetRevision = 0, meta } = options;
    const [source, target] = [normalisePath(from), normalisePath(to)];
    if (source === target) throw new PathError('invalid_arguments', `${target} already has that name; give another.`);
    checkMeta(meta);
    const [before, replaced] = await Promise.all([
      this.#index.position(this.#scope, source),
      this.#index.position(this.#scope, target),
    ]);
    const isSourceRight = isAt(before, expectedRevision);
    if (before.entry === undefined || !isSourceRight || !isAt(replaced, expectedTargetRevision)) {
      const moved = isOwn(before.deletion, options) && before.deletion.moved_to === target;
      const arrived = isOwn(replaced.entry, options) && replaced.entry.moved_from === source;
      if (replaced.entry && (moved || arrived)) return { ...replaced.entry, revision: replaced.revision };
      if (before.entry === undefined || !isSourceRight) throw conflict(source, expectedRevision, before);
      throw conflict(target, expectedTargetRevision, replaced);
    }
    const { previous, meta: _meta, follows: _follows, ...file } = before.entry;
    const by = { run, index, attempt, ...changeNow(meta) };
    const entry: WorkspaceEntry = { ...file, ...by, path: target, moved_from: source, ...followed(replaced) };
    const revision = await this.#index.move(
      this.#scope,
      { deletion: { ...by, path: source, deleted: true, moved_to: target }, revision: before.revision },
      { entry, revision: replaced.revision },
    );
    for (const old of [previous, replaced.entry?.previous]) if (old !== undefined) this.#content.discard(old);
    return { ...entry, revision };
  }

  async #latest<T>(
    path: string,
    use: (version: FileVersion, content: OpenContent) => Promise<T>,
  ): Promise<T | undefined> {
    const target = normalisePath(path);
    for (let tries = 1; ; tries++) {
      const version = await this.#index.find(this.#scope, target);
      if (version === undefined) return undefined;
      try {
        const content = await this.#content.open(version.entry.object);
        if (content === undefined) throw new ContentMissingError(version.entry.object, 'it does not exist');
        return await use(version, content);
      } catch (error) {
        if (!(error instanceof ContentMissingError) || tries === READ_TRIES) throw error;
      }
    }
  }
}

/** What a new entry keeps of what stood there: a content that readers are still at, or which deletion it was. */
function followed({ entry, deletion }: Position): Pick<WorkspaceEntry, 'previous' | 'follows'> {
  if (entry !== undefined) return { previous: entry.object };
  return deletion === undefined ? {} : { follows: deletion.change };
}

const changeNow = (meta: Json | undefined) => ({
  modified_at: new Date().toISOString(),
  change: randomBytes(12).toString('hex'),
  ...(meta === undefined ? {} : { meta }),
});

const isOwn = <C extends WorkspaceEntry | Deletion>(
  change: C | undefined,
  { run, index }: ChangeOptions,
): change is C => change?.run === run && change.index === index;

function checkMeta(meta: Json | undefined): void {
  if (meta === undefined || Buffer.byteLength(JSON.stringify(meta)) <= MAX_META_BYTES) return;
  throw new PathError(
    'invalid_arguments',
    `The meta of a file may have ${MAX_META_BYTES} bytes; store more as an artifact.`,
  );
}
