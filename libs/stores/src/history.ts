import type { Position } from './file-index.ts';
import type { Deletion, PastVersion, WorkspaceEntry } from './file-version.ts';

/** Versions that an entry tells of besides its own. */
export const KEPT_VERSIONS = 10;
/** Of contents older than the one before the present: the newest of them together. The one before is kept whatever its size. */
export const KEPT_BYTES = 4 * 1024 * 1024;

/** What a file's history is once what stands at the path is replaced; contents beyond the bounds are let go. */
export function historyAfter({ entry, deletion }: Position): readonly PastVersion[] {
  if (entry !== undefined) return bounded([pastOf(entry), ...(entry.history ?? [])]);
  // A rename took its history along; a deletion keeps it without the contents.
  return deletion === undefined ? [] : bounded([pastOfDeletion(deletion), ...(deletion.history ?? [])]);
}

/** The history of a file that was renamed: every version says the path that it had. */
export const historyOfMoved = (entry: WorkspaceEntry): readonly PastVersion[] =>
  historyAfter({ revision: 0, entry }).map((past) => ({ path: entry.path, ...past }));

/** What a deletion remembers: who wrote which version. The contents go with the file. */
export const historyOfDeleted = (entry: WorkspaceEntry): readonly PastVersion[] =>
  historyAfter({ revision: 0, entry }).map(({ object: _, ...past }) => past);

/** Contents that an entry keeps. */
export function objectsOf(entry: WorkspaceEntry | undefined): Set<string> {
  if (entry === undefined) return new Set();
  const named = [entry.object, entry.previous, ...(entry.history ?? []).map((past) => past.object)];
  return new Set(named.filter((name) => name !== undefined));
}

/** Of an entry written before histories were kept, a content before it is all that says that it was not the first. */
const isFirst = ({ previous, moved_from, history = [] }: WorkspaceEntry): boolean =>
  moved_from === undefined && previous === undefined && (history[0] === undefined || history[0].deleted === true);

export function pastOf(entry: WorkspaceEntry): PastVersion {
  const { run, index, attempt, modified_at, object, size, sha256, lines, moved_from } = entry;
  return {
    run,
    index,
    attempt,
    modified_at,
    object,
    size,
    sha256,
    ...(lines === undefined ? {} : { lines }),
    ...(moved_from === undefined ? {} : { moved_from }),
    ...(isFirst(entry) ? { created: true } : {}),
  };
}

export const pastOfDeletion = ({ run, index, attempt, modified_at, moved_to }: Deletion): PastVersion => ({
  run,
  index,
  attempt,
  modified_at,
  deleted: true,
  ...(moved_to === undefined ? {} : { moved_to }),
});

function bounded(history: readonly PastVersion[]): PastVersion[] {
  let room = KEPT_BYTES;
  return history.slice(0, KEPT_VERSIONS).map((past, at) => {
    if (at === 0 || past.object === undefined) return past;
    room -= past.size ?? 0;
    if (room >= 0) return past;
    const { object: _, ...told } = past;
    return told;
  });
}
