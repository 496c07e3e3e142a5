import { isToolEnded, type RunState } from '@toolstream/proto-events';
import { useRunSelector } from '@toolstream/react';
import { RunFiles } from '../app/index.ts';

/** What the run changed in its app's workspace; only the end of a call can change that. */
export function FilesTab({ id }: { readonly id: string }) {
  const run = useRunSelector(id, (view) => view.run, sameEnds);
  return run ? <RunFiles run={run} level={2} /> : null;
}

const endsOf = (run: RunState): number => run.tools.filter(({ status }) => isToolEnded(status)).length;

const sameEnds = (a: RunState | undefined, b: RunState | undefined): boolean =>
  a === b || (a !== undefined && b !== undefined && a.status === b.status && endsOf(a) === endsOf(b));
