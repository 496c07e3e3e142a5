import type { ContentState, FileChange } from '@toolstream/proto-events';
import { type Deletion, isDeletion, type PastVersion, type WorkspaceEntry } from './file-version.ts';
import { pastOf, pastOfDeletion } from './history.ts';

/** The changes that a path tells of, newest first. */
export function changesOf(stored: WorkspaceEntry | Deletion): FileChange[] {
  const present = isDeletion(stored) ? pastOfDeletion(stored) : pastOf(stored);
  const versions = [present, ...(stored.history ?? [])];
  return versions.flatMap((version, at) => {
    const change = changeOf(version);
    if (change === undefined) return [];
    const { run, index, attempt, modified_at, moved_from } = version;
    const after = contentOf(version);
    const before = change === 'created' ? undefined : contentOf(versions[at + 1]);
    return [
      {
        path: version.path ?? stored.path,
        change,
        run,
        index,
        attempt,
        modified_at,
        ...(moved_from === undefined ? {} : { moved_from }),
        ...(before === undefined ? {} : { before }),
        ...(after === undefined ? {} : { after }),
        held_at: stored.path,
      },
    ];
  });
}

/** A rename is told where the file went to, not where it had been. */
function changeOf({ deleted, moved_to, moved_from, created }: PastVersion): FileChange['change'] | undefined {
  if (deleted) return moved_to === undefined ? 'deleted' : undefined;
  if (moved_from !== undefined) return 'renamed';
  return created ? 'created' : 'changed';
}

function contentOf(version: PastVersion | undefined): ContentState | undefined {
  if (version?.size === undefined || version.sha256 === undefined) return undefined;
  const { object, size, sha256, lines } = version;
  return {
    ...(object === undefined ? {} : { version: object }),
    size,
    sha256,
    ...(lines === undefined ? {} : { lines }),
  };
}
