import type { RunState, ToolState } from '@toolstream/react';
import { hasRunEnded, hasToolEnded } from '@toolstream/react';

/** A call that something happens with now, and its run. */
export interface LiveCall {
  readonly run: RunState;
  readonly tool: ToolState;
}

/** Running first, then what a person has to answer, then what will go on by itself; newest runs first, calls in their order. */
export function liveCalls(runs: readonly RunState[]): LiveCall[] {
  const calls = liveRuns(runs).flatMap((run) =>
    run.tools.filter(({ status }) => !hasToolEnded(status) && status !== 'pending').map((tool) => ({ run, tool })),
  );
  return calls.sort((a, b) => RANK[a.tool.status]! - RANK[b.tool.status]!);
}

export const liveRuns = (runs: readonly RunState[]): RunState[] => runs.filter(({ status }) => !hasRunEnded(status));

const RANK: Readonly<Record<string, number>> = { running: 0, awaiting_approval: 1, retrying: 2, queued: 3 };

/** Another text whenever a run began or ended, or a call did end: when files may have changed, and what lists tell. */
export const endsOf = (runs: readonly RunState[]): string =>
  runs
    .map(
      ({ run_id, status, tools }) => `${run_id} ${status} ${tools.filter((tool) => hasToolEnded(tool.status)).length}`,
    )
    .join();
