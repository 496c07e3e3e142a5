import { createHash } from 'node:crypto';
import type { Json } from '@toolstream/proto-events';
import type { CallInfo } from '../context.ts';
import { ToolFailure } from '../failure.ts';
import { normalPath } from '../path.ts';
import type { ToolWorkspace, WorkspaceFile } from '../stores.ts';

interface Kept {
  readonly file: WorkspaceFile;
  readonly revision: number;
  readonly bytes: Uint8Array;
}

/** Who did it: an attempt finds what an earlier one of its own call has done already. */
const own = (call: CallInfo, by: Pick<WorkspaceFile, 'run' | 'index'> | undefined): boolean =>
  by?.run === call.run && by.index === call.index;

/**
 * A workspace in memory with the real one's rules: revisions, conflicts, paths that may not leave it, retries that find
 * their own work. Hand it to the next attempt or the next call to see what they make of it.
 */
export class MemoryWorkspace {
  readonly #files = new Map<string, Kept>();
  /** By the path that was left: who deleted or renamed it, and to where. */
  readonly #left = new Map<string, Pick<WorkspaceFile, 'run' | 'index'> & { to?: string }>();
  #revision = 0;

  /** Files that were there before, written by a run of nobody's. */
  constructor(files: Readonly<Record<string, string | Uint8Array>> = {}) {
    const before: CallInfo = { app: 'test', run: '0-before', index: 0, call_id: 'before', tool: 'before', attempt: 1 };
    for (const [path, content] of Object.entries(files)) this.#put(before, normalPath(path), bytesOf(content));
  }

  get paths(): string[] {
    return [...this.#files.keys()].sort();
  }

  text(path: string): string | undefined {
    const kept = this.#files.get(normalPath(path));
    return kept && Buffer.from(kept.bytes).toString();
  }

  bytes(path: string): Uint8Array | undefined {
    const kept = this.#files.get(normalPath(path));
    return kept && new Uint8Array(kept.bytes);
  }

  /** As one attempt sees it. */
  at(call: CallInfo): ToolWorkspace {
    return {
      list: async (prefix = '', { limit = 1000, after = '' } = {}) =>
        this.paths
          .filter((path) => path.startsWith(prefix) && path > after)
          .slice(0, limit)
          .map((path) => (this.#files.get(path) as Kept).file),
      head: async (path) => {
        const kept = this.#files.get(normalPath(path));
        return kept && { file: kept.file, revision: kept.revision };
      },
      read: async (path) => {
        const kept = this.#files.get(normalPath(path));
        return kept && { file: kept.file, revision: kept.revision, bytes: new Uint8Array(kept.bytes) };
      },
      write: async (path, bytes, { expectedRevision, meta, onBytes }) => {
        const at = normalPath(path);
        this.#expect(at, expectedRevision);
        onBytes?.(bytes.byteLength, bytes.byteLength);
        return this.#put(call, at, bytes, meta);
      },
      delete: async (path, { expectedRevision }) => {
        const at = normalPath(path);
        if (expectedRevision === 0 && !this.#files.has(at) && own(call, this.#left.get(at))) return;
        this.#expectThere(at, expectedRevision);
        this.#leave(call, at);
      },
      rename: async (from, to, { expectedRevision, expectedTargetRevision = 0, meta }) => {
        const [source, target] = [normalPath(from), normalPath(to)];
        const done = this.#left.get(source);
        const moved = this.#files.get(target);
        if (expectedRevision === 0 && !this.#files.has(source) && own(call, done) && done?.to === target && moved) {
          return moved.file;
        }
        const { bytes } = this.#expectThere(source, expectedRevision);
        this.#expect(target, expectedTargetRevision);
        const file = this.#put(call, target, bytes, meta);
        this.#leave(call, source, target);
        return file;
      },
    };
  }

  #expect(path: string, revision: number): void {
    if ((this.#files.get(path)?.revision ?? 0) === revision) return;
    const message = `${path} changed since it was read.`;
    throw new ToolFailure({ code: 'workspace_conflict', message, retryable: true });
  }

  #expectThere(path: string, revision: number): Kept {
    this.#expect(path, revision);
    const kept = this.#files.get(path);
    if (kept) return kept;
    throw new ToolFailure({ code: 'workspace_conflict', message: `${path} is not there.`, retryable: true });
  }

  #leave({ run, index }: CallInfo, path: string, to?: string): void {
    this.#files.delete(path);
    this.#left.set(path, { run, index, ...(to === undefined ? {} : { to }) });
  }

  #put({ run, index, attempt }: CallInfo, path: string, bytes: Uint8Array, meta?: Json): WorkspaceFile {
    const file: WorkspaceFile = {
      path,
      size: bytes.byteLength,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      run,
      index,
      attempt,
      modified_at: new Date().toISOString(),
      ...(meta === undefined ? {} : { meta: structuredClone(meta) }),
    };
    this.#revision += 1;
    this.#files.set(path, { file, revision: this.#revision, bytes: new Uint8Array(bytes) });
    this.#left.delete(path);
    return file;
  }
}

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content;
