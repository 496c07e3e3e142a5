import { useMemo, useSyncExternalStore } from 'react';
import { useRun } from './hooks.ts';
import { type Progress, progressOf } from './progress.ts';
import type { RunView } from './run-store.ts';
import { hasRunEnded } from './types.ts';

const TICK_MS = 1_000;
/** What is counted and estimated may be a little older than what is painted. */
export const PROGRESS_MS = 200;

const second = (): number => Math.floor(Date.now() / TICK_MS) * TICK_MS;
const nothing = () => () => {};
function everySecond(listener: () => void): () => void {
  const timer = setInterval(listener, TICK_MS);
  return () => clearInterval(timer);
}

/** The time to the second; `undefined` on a server and while hydrating, where it would differ. It stands still unless `on`. */
const useSecond = (on: boolean): number | undefined =>
  useSyncExternalStore<number | undefined>(on ? everySecond : nothing, second, () => undefined);

/** How far a run is, and how long it may still take; goes on with the clock while the run does. */
export const useRunProgress = (runId: string | undefined): Progress | undefined =>
  useProgressOf(useRun(runId, { throttleMs: PROGRESS_MS }));

/** The same of a view that is there already. */
export function useProgressOf({ run, aheadMs }: Pick<RunView, 'run' | 'aheadMs'>): Progress | undefined {
  const now = useSecond(run !== undefined && !hasRunEnded(run.status));
  return useMemo(() => {
    if (!run) return undefined;
    if (now !== undefined) return progressOf(run, Date.now() + aheadMs);
    const { elapsed_ms: _, remaining_ms: __, ...timeless } = progressOf(run, 0);
    return timeless;
  }, [run, now, aheadMs]);
}
