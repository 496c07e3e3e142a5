import { type JetStreamManager, jetstreamManager, type StoredMsg } from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { FILES_BUCKET } from './buckets.ts';
import { StoreUnavailableError, WorkspaceConflictError } from './errors.ts';
import type { FileVersion, WorkspaceEntry } from './file-version.ts';
import { fileKey, pathOfKey, type Scope, scopeKey } from './path.ts';
import { ANSWER_MS, isWrongSequence, persist } from './persist.ts';

const STREAM = `KV_${FILES_BUCKET}`;
const PAGE = 500;
const IDLE_MS = 5_000;

interface Position {
  /** Sequence that a write has to expect; 0 where there has never been an entry. */
  readonly revision: number;
  readonly entry: WorkspaceEntry | undefined;
}

/** The KV index `<tenant>.<app>.<base64url(path)>` → entry. Every single read comes from the leader. */
export class FileIndex {
  readonly #kv: KV;
  readonly #jsm: JetStreamManager;

  static async over(nc: NatsConnection, kv: KV): Promise<FileIndex> {
    return new FileIndex(kv, await jetstreamManager(nc, { checkAPI: false, timeout: ANSWER_MS }));
  }

  private constructor(kv: KV, jsm: JetStreamManager) {
    this.#kv = kv;
    this.#jsm = jsm;
  }

  async find(scope: Scope, path: string): Promise<FileVersion | undefined> {
    const { entry, revision } = await this.#position(scope, path);
    return entry && { entry, revision };
  }

  /**
   * Where the file stands, checked against what the writer expects (0: no file). The revision to write with differs from the
   * expected one only after an operator deleted the key: then it is the deletion's.
   */
  async expect(scope: Scope, path: string, expectedRevision: number): Promise<Position> {
    const position = await this.#position(scope, path);
    const seen = position.entry === undefined ? 0 : position.revision;
    if (seen !== expectedRevision) {
      throw new WorkspaceConflictError(path, expectedRevision, versionOf(position));
    }
    return position;
  }

  /**
   * Replaces what stands at `revision`, or throws the conflict. An update whose answer was lost is sent again; if that is
   * refused, the entry tells by its object, which is unique per write, whether the first one had landed.
   */
  async replace(scope: Scope, entry: WorkspaceEntry, revision: number): Promise<number> {
    const key = fileKey(scope, entry.path);
    const value = JSON.stringify(entry);
    try {
      const options = { previousSeq: revision, timeout: ANSWER_MS };
      return await persist(`the entry of ${entry.path}`, () => this.#kv.put(key, value, options));
    } catch (error) {
      if (!isWrongSequence(error)) throw error;
      const now = await this.#position(scope, entry.path);
      if (now.entry?.object === entry.object) return now.revision;
      // It landed and somebody has replaced it since: a revision that no later write can match says so.
      if (now.entry?.previous === entry.object) return revision;
      throw new WorkspaceConflictError(entry.path, revision, versionOf(now));
    }
  }

  /** The first `limit` entries after `after` in order of their paths. Holds no more than `limit` of them. */
  async list(scope: Scope, prefix: string, after: string | undefined, limit: number): Promise<WorkspaceEntry[]> {
    const found: WorkspaceEntry[] = [];
    const filter = `$KV.${FILES_BUCKET}.${scopeKey(scope)}.*`;
    for await (const message of this.#messages(filter)) {
      const path = pathOfKey(message.subject);
      if (!path.startsWith(prefix) || (after !== undefined && path <= after)) continue;
      const at = lowerBound(found, path);
      if (at >= limit) continue;
      const removed = message.header.get('KV-Operation') !== '';
      const same = found[at]?.path === path;
      if (removed) {
        if (same) found.splice(at, 1);
        continue;
      }
      found.splice(at, same ? 1 : 0, message.json<WorkspaceEntry>());
      if (found.length > limit) found.pop();
    }
    return found;
  }

  async #position(scope: Scope, path: string): Promise<Position> {
    const stored = await persist(`the entry of ${path}`, () => this.#kv.get(fileKey(scope, path)));
    if (stored === null) return { revision: 0, entry: undefined };
    const entry = stored.operation === 'PUT' ? stored.json<WorkspaceEntry>() : undefined;
    return { revision: stored.revision, entry };
  }

  /** One message per key, since the bucket keeps no history; a key written while this reads may come twice, newest last. */
  async *#messages(filter: string): AsyncGenerator<StoredMsg> {
    for (let from = 1; ; ) {
      const page = await persist(`the list ${filter}`, () => this.#page(filter, from));
      yield* page;
      const last = page.at(-1);
      if (page.length < PAGE || last === undefined) return;
      from = last.seq + 1;
    }
  }

  /** The callback form: the iterator of the same call leaves a subscription behind. */
  #page(filter: string, seq: number): Promise<StoredMsg[]> {
    const page: StoredMsg[] = [];
    return new Promise((resolve, reject) => {
      let stop = () => {};
      const timer = setTimeout(() => {
        stop();
        reject(new StoreUnavailableError(`The list ${filter} stopped half way. Try again.`));
      }, IDLE_MS);
      const callback = (done: { err?: Error } | null, message: StoredMsg) => {
        if (done === null) {
          timer.refresh();
          page.push(message);
          return;
        }
        clearTimeout(timer);
        if (done.err && (done.err as { code?: unknown }).code !== 404) reject(done.err);
        else resolve(page);
      };
      this.#jsm.direct.getBatch(STREAM, { next_by_subj: filter, seq, batch: PAGE, callback }).then((iterator) => {
        stop = () => iterator.stop();
      }, reject);
    });
  }
}

const versionOf = ({ entry, revision }: Position): FileVersion | undefined => entry && { entry, revision };

/** Index of the first entry whose path is not before `path`. */
function lowerBound(entries: readonly WorkspaceEntry[], path: string): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((entries[middle]?.path ?? '') < path) low = middle + 1;
    else high = middle;
  }
  return low;
}
