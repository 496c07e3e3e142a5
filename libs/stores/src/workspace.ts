import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { FileChange, Json } from '@toolstream/proto-events';
import { type BucketOptions, FILES_BUCKET, openContent, openIndex, WORKSPACE_BUCKET } from './buckets.ts';
import { type ByteRange, type ContentStore, type OpenContent, readAll, type Source } from './content.ts';
import { ContentMissingError, PathError, WorkspaceConflictError } from './errors.ts';
import { conflict, FileIndex, isAt, type Position } from './file-index.ts';
import type { Deletion, FileVersion, WorkspaceEntry } from './file-version.ts';
import { historyAfter, historyOfDeleted, historyOfMoved, objectsOf } from './history.ts';
import { normalisePath, type Scope, scopeKey } from './path.ts';
import { changesOf } from './run-changes.ts';

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

  /** A content that the file had, by the `version` that `versions` or `changes` gives it; `undefined` where it is not kept any more. */
  async openVersion(path: string, version: string): Promise<OpenContent | undefined> {
    const { entry } = await this.#index.position(this.#scope, normalisePath(path));
    // What the path's own entry does not name is none of its contents: it may be another tenant's.
    return objectsOf(entry).has(version) ? this.#content.open(version) : undefined;
  }

  /** What was done to the path, newest first; a file that was deleted tells so for 30 days. Empty where nothing is known. */
  async versions(path: string): Promise<FileChange[]> {
    const { entry, deletion } = await this.#index.position(this.#scope, normalisePath(path));
    const stored = entry ?? deletion;
    return stored === undefined ? [] : changesOf(stored);
  }

  /**
   * What a run did to the files, in order of the paths, of each the oldest first, `limit` at most: as much as the histories of the
   * files still tell. It looks at every entry of the app, as `list` does.
   */
  async changes(run: string, { limit = MAX_PAGE }: { readonly limit?: number } = {}): Promise<FileChange[]> {
    const found = new Map<string, FileChange[]>();
    for await (const stored of this.#index.all(this.#scope)) {
      const own = changesOf(stored).filter((change) => change.run === run);
      // An entry that is written meanwhile may come again: the last one counts.
      if (own.length > 0) found.set(stored.path, own.reverse());
      else found.delete(stored.path);
    }
    const paths = [...found.keys()].sort();
    return paths.flatMap((path) => found.get(path)!).slice(0, limit);
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
      this.#discard([before.entry], entry);
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
    const { object } = before.entry;
    const by = { path: target, run, index, attempt, ...changeNow(meta) };
    const deletion: Deletion = { ...by, deleted: true, object, history: historyOfDeleted(before.entry) };
    const revision = await this.#index.remove(this.#scope, deletion, before.revision);
    this.#discard([before.entry]);
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
    const { previous: _previous, meta: _meta, follows: _follows, ...file } = before.entry;
    const by = { run, index, attempt, ...changeNow(meta) };
    const history = historyOfMoved(before.entry);
    const entry: WorkspaceEntry = { ...file, ...by, path: target, moved_from: source, ...followed(replaced), history };
    const revision = await this.#index.move(
      this.#scope,
      { deletion: { ...by, path: source, deleted: true, moved_to: target }, revision: before.revision },
      { entry, revision: replaced.revision },
    );
    this.#discard([before.entry, replaced.entry], entry);
    return { ...entry, revision };
  }

  /** Contents that a path kept and does not any more. */
  #discard(before: readonly (WorkspaceEntry | undefined)[], now?: WorkspaceEntry): void {
    const kept = objectsOf(now);
    const dropped = new Set(before.flatMap((entry) => [...objectsOf(entry)]));
    for (const object of dropped) if (!kept.has(object)) this.#content.discard(object);
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

/** What a new entry keeps of what stood there: a content that readers are still at, or which deletion it was; and its history. */
function followed(position: Position): Pick<WorkspaceEntry, 'previous' | 'follows' | 'history'> {
  const { entry, deletion } = position;
  if (entry === undefined && deletion === undefined) return {};
  const history = historyAfter(position);
  return entry === undefined ? { follows: deletion!.change, history } : { previous: entry.object, history };
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
