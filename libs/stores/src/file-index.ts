import {
  type JetStreamClient,
  type JetStreamManager,
  jetstream,
  jetstreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import type { KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import { publishTogether } from './atomic.ts';
import { FILES_BUCKET } from './buckets.ts';
import { StoreUnavailableError, WorkspaceConflictError } from './errors.ts';
import { type Deletion, type FileVersion, isDeletion, type WorkspaceEntry } from './file-version.ts';
import { fileKey, pathOfKey, type Scope, scopeKey } from './path.ts';
import { ANSWER_MS, isWrongSequence, persist } from './persist.ts';

const STREAM = `KV_${FILES_BUCKET}`;
const PAGE = 500;
const IDLE_MS = 5_000;
/** 30 days: longer than a run lives, so that a late retry still finds what its call has done. */
const DELETION_TTL = '720h';

/** What stands at a path: a file, what a deletion left, or (both undefined) nothing. */
export interface Position {
  /** Sequence that a change has to expect; 0 where there has never been an entry. */
  readonly revision: number;
  readonly entry?: WorkspaceEntry | undefined;
  readonly deletion?: Deletion | undefined;
}

/** The KV index `<tenant>.<app>.<base64url(path)>` → entry. Every single read comes from the leader. */
export class FileIndex {
  readonly #nc: NatsConnection;
  readonly #kv: KV;
  readonly #js: JetStreamClient;
  readonly #jsm: JetStreamManager;

  static async over(nc: NatsConnection, kv: KV): Promise<FileIndex> {
    return new FileIndex(nc, kv, await jetstreamManager(nc, { checkAPI: false, timeout: ANSWER_MS }));
  }

  private constructor(nc: NatsConnection, kv: KV, jsm: JetStreamManager) {
    this.#nc = nc;
    this.#kv = kv;
    this.#js = jetstream(nc, { timeout: ANSWER_MS });
    this.#jsm = jsm;
  }

  async find(scope: Scope, path: string): Promise<FileVersion | undefined> {
    return versionOf(await this.position(scope, path));
  }

  /**
   * Where the file stands, checked against what the writer expects (0: no file). The revision to write with differs from the
   * expected one only where the file was deleted: then it is the deletion's.
   */
  async expect(scope: Scope, path: string, expectedRevision: number): Promise<Position> {
    const position = await this.position(scope, path);
    if (!isAt(position, expectedRevision)) throw conflict(path, expectedRevision, position);
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
      const now = await this.position(scope, entry.path);
      if (now.entry?.object === entry.object) return now.revision;
      // It landed and somebody has replaced it since: a revision that no later write can match says so.
      if (now.entry?.previous === entry.object) return revision;
      throw conflict(entry.path, revision, now);
    }
  }

  /** Puts a deletion in the place of the file at `revision`. An answer that is lost is settled as `replace` does. */
  async remove(scope: Scope, deletion: Deletion, revision: number): Promise<number> {
    const subject = subjectOf(scope, deletion.path);
    const options = { expect: { lastSubjectSequence: revision }, ttl: DELETION_TTL, timeout: ANSWER_MS };
    try {
      const send = () => this.#js.publish(subject, JSON.stringify(deletion), options);
      return (await persist(`the deletion of ${deletion.path}`, send)).seq;
    } catch (error) {
      if (!isWrongSequence(error)) throw error;
      const now = await this.position(scope, deletion.path);
      if (now.deletion?.change === deletion.change) return now.revision;
      if (now.entry?.follows === deletion.change) return revision;
      throw conflict(deletion.path, revision, now);
    }
  }

  /** Replaces both paths or neither: the file stands at one of them at any time. Gives the revision of the new one. */
  async move(
    scope: Scope,
    from: { readonly deletion: Deletion; readonly revision: number },
    to: { readonly entry: WorkspaceEntry; readonly revision: number },
  ): Promise<number> {
    const { deletion } = from;
    const { entry } = to;
    const messages = [
      {
        subject: subjectOf(scope, deletion.path),
        data: JSON.stringify(deletion),
        expected: from.revision,
        ttl: DELETION_TTL,
      },
      { subject: subjectOf(scope, entry.path), data: JSON.stringify(entry), expected: to.revision },
    ];
    try {
      return await persist(`the move to ${entry.path}`, () => publishTogether(this.#nc, messages));
    } catch (error) {
      if (!isWrongSequence(error)) throw error;
      const [source, target] = await Promise.all([
        this.position(scope, deletion.path),
        this.position(scope, entry.path),
      ]);
      if (target.entry?.change === entry.change) return target.revision;
      if (source.deletion?.change === deletion.change || source.entry?.follows === deletion.change) return to.revision;
      if (source.revision !== from.revision) throw conflict(deletion.path, from.revision, source);
      throw conflict(entry.path, to.revision, target);
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
      const stored = message.header.get('KV-Operation') === '' ? message.json<WorkspaceEntry | Deletion>() : undefined;
      const same = found[at]?.path === path;
      if (stored === undefined || isDeletion(stored)) {
        if (same) found.splice(at, 1);
        continue;
      }
      found.splice(at, same ? 1 : 0, stored);
      if (found.length > limit) found.pop();
    }
    return found;
  }

  /** Every entry and every deletion of the app, one per path. Holds one page at a time, and the paths. */
  async *all(scope: Scope): AsyncGenerator<WorkspaceEntry | Deletion> {
    for await (const message of this.#messages(`$KV.${FILES_BUCKET}.${scopeKey(scope)}.*`)) {
      if (message.header.get('KV-Operation') === '') yield message.json<WorkspaceEntry | Deletion>();
    }
  }

  async position(scope: Scope, path: string): Promise<Position> {
    const stored = await persist(`the entry of ${path}`, () => this.#kv.get(fileKey(scope, path)));
    if (stored === null) return { revision: 0 };
    const { revision, operation } = stored;
    if (operation !== 'PUT') return { revision };
    const value = stored.json<WorkspaceEntry | Deletion>();
    return isDeletion(value) ? { revision, deletion: value } : { revision, entry: value };
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

/** Whether the file is at that revision; 0 stands for no file. */
export const isAt = (position: Position, expected: number): boolean =>
  (position.entry === undefined ? 0 : position.revision) === expected;

export const conflict = (path: string, expected: number, now: Position): WorkspaceConflictError =>
  new WorkspaceConflictError(path, expected, versionOf(now), now.deletion);

const subjectOf = (scope: Scope, path: string): string => `$KV.${FILES_BUCKET}.${fileKey(scope, path)}`;

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
