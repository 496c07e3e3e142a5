import type { ContentState, FileChange } from '@toolstream/client';

/** What a run, all its calls together, did to one path. */
export interface RunFile {
  readonly path: string;
  readonly change: 'created' | 'changed' | 'renamed' | 'deleted' | 'undone';
  /** Where the file was before the run, if a rename put it here. */
  readonly moved_from?: string;
  readonly before?: ContentState;
  readonly after?: ContentState;
  /** Where the contents are read: the file may have been renamed since. */
  readonly held_at: string;
  /** The calls that did it, oldest first. */
  readonly steps: readonly FileChange[];
  /** Somebody else changed the file between two of the steps, so before and after hold others' changes too. */
  readonly shared: boolean;
}

/** One entry for each path that the run touched, in order of the paths. */
export function filesOf(changes: readonly FileChange[]): RunFile[] {
  const chains = new Map<string, FileChange[]>();
  for (const change of changes) {
    // A file that the run renamed goes on under its new name: the steps at the old one belong to it.
    const chain =
      change.change === 'renamed' && change.moved_from !== undefined
        ? chains.get(key(change, change.moved_from))
        : undefined;
    if (chain) chains.delete(key(change, change.moved_from!));
    const own = chain ?? chains.get(key(change, change.path)) ?? [];
    own.push(change);
    chains.set(key(change, change.path), own);
  }
  return [...chains.values()].map(fileOf).sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
}

/** Two files that stood at one path at different times are held at different ones. */
const key = ({ held_at }: FileChange, path: string): string => `${held_at}\n${path}`;

function fileOf(steps: readonly FileChange[]): RunFile {
  const first = steps[0]!;
  const last = steps.at(-1)!;
  const { before } = first;
  const { after } = last;
  const moved = steps.find(({ change }) => change === 'renamed')?.moved_from;
  return {
    path: last.path,
    change: netChange(first, last, moved),
    ...(moved === undefined || first.change === 'created' ? {} : { moved_from: moved }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    held_at: last.held_at,
    steps,
    shared: steps.some((step, at) => at > 0 && step.before !== undefined && !isSame(step.before, steps[at - 1]!.after)),
  };
}

function netChange(first: FileChange, last: FileChange, moved: string | undefined): RunFile['change'] {
  if (first.change === 'created') return last.change === 'deleted' ? 'undone' : 'created';
  if (last.change === 'deleted') return 'deleted';
  return moved === undefined ? 'changed' : 'renamed';
}

const isSame = (a: ContentState, b: ContentState | undefined): boolean => a.sha256 === b?.sha256;

/** `3 created, 1 changed`, in the order in which people ask. */
export function tally(files: readonly RunFile[]): readonly (readonly [RunFile['change'], number])[] {
  const order: RunFile['change'][] = ['created', 'changed', 'renamed', 'deleted', 'undone'];
  return order.flatMap((change) => {
    const number = files.filter((file) => file.change === change).length;
    return number === 0 ? [] : [[change, number] as const];
  });
}
