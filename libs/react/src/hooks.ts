import { useCallback, useMemo, useRef, useSyncExternalStore } from 'react';
import type { RunControls } from './commands.ts';
import { useScope } from './provider.tsx';
import { IDLE_RUN, type RecentEvent, type RunStore, type RunStoreOptions, type RunView } from './run-store.ts';
import { IDLE_RUNS, type RunsView } from './runs-store.ts';
import type { ConnectionView, Store, ToolState } from './types.ts';
import { throttled } from './view-store.ts';

const still = <T>(value: T): Store<T> => ({
  subscribe: () => () => {},
  getSnapshot: () => value,
  getServerSnapshot: () => value,
});
const IDLE_RUN_STORE = still(IDLE_RUN);
const IDLE_RUNS_STORE = still(IDLE_RUNS);
const NO_EVENTS_STORE = still<readonly RecentEvent[]>([]);

function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
}

export interface UseRunOptions extends RunStoreOptions {
  /** At most one rendering in this time; absent: one per frame. */
  readonly throttleMs?: number | undefined;
}
/** Controls are always the same object for the same run. */
export interface UsedRun extends RunView {
  readonly controls: RunControls;
  /** After a failure: tries again where it stood. */
  readonly retry: () => void;
}

const nothing = () => Promise.reject(new Error('There is no run to command: its id is not known yet.'));
const NO_CONTROLS: RunControls = {
  pause: nothing,
  resume: nothing,
  cancel: nothing,
  cancelTool: nothing,
  retryTool: nothing,
  approveTool: nothing,
  denyTool: nothing,
};
const NO_RETRY = () => {};

/** The store that all components below the provider share for a run: the first that asks says where it begins. */
export function useRunStore(runId: string, options?: RunStoreOptions): RunStore;
export function useRunStore(runId: string | undefined, options?: RunStoreOptions): RunStore | undefined;
export function useRunStore(runId: string | undefined, options: RunStoreOptions = {}): RunStore | undefined {
  const scope = useScope();
  return runId === undefined ? undefined : scope.run(runId, options);
}

/** A run, rendered again whenever anything of it changed. Leaving it never touches the run itself. */
export function useRun(runId: string | undefined, options: UseRunOptions = {}): UsedRun {
  const { throttleMs = 0 } = options;
  const run = useRunStore(runId, options);
  const store = useMemo(() => {
    const all: Store<RunView> = run ?? IDLE_RUN_STORE;
    return throttleMs > 0 ? throttled(all, throttleMs) : all;
  }, [run, throttleMs]);
  const view = useStore(store);
  return useMemo(() => {
    const controls = run?.controls ?? NO_CONTROLS;
    return { ...view, controls, retry: run ? () => run.retry() : NO_RETRY };
  }, [view, run]);
}

/**
 * A part of a run: rendered again only when what `select` returns is another value. It must return the same object where
 * nothing of it changed; what the state holds does.
 */
export function useRunSelector<T>(
  runId: string | undefined,
  select: (view: RunView) => T,
  isEqual: (a: T, b: T) => boolean = Object.is,
): T {
  const run = useRunStore(runId);
  const store: Store<RunView> = run ?? IDLE_RUN_STORE;
  const last = useRef<{ value: T } | undefined>(undefined);
  const stable = (value: T): T => {
    if (last.current && isEqual(last.current.value, value)) return last.current.value;
    last.current = { value };
    return value;
  };
  return useSyncExternalStore(
    store.subscribe,
    () => stable(select(store.getSnapshot())),
    () => stable(select(store.getServerSnapshot())),
  );
}

/** One call of a run: rendered again only when that call changed. `undefined` until it is known. */
export function useToolCall(runId: string | undefined, index: number): ToolState | undefined {
  const select = useCallback(({ run }: RunView) => run?.tools[index], [index]);
  return useRunSelector(runId, select);
}

/** The controls of a run, without being rendered when it changes. */
export const useRunControls = (runId: string | undefined): RunControls => useRunStore(runId)?.controls ?? NO_CONTROLS;

/** An app's live runs, newest first. */
export function useRuns({ app }: { readonly app: string | undefined }): RunsView {
  const scope = useScope();
  return useStore(app === undefined ? IDLE_RUNS_STORE : scope.runs(app));
}

/** The connection that everything below the provider shares. */
export const useConnection = (): ConnectionView => useStore(useScope().connection);

/** The newest events of a run since it was watched, oldest first; from the first if the run was begun with `cursor: 'start'`. */
export function useRunEvents(
  runId: string | undefined,
  { limit = 200, cursor }: { readonly limit?: number; readonly cursor?: string } = {},
): readonly RecentEvent[] {
  const run = useRunStore(runId, { cursor });
  run?.keep(limit);
  const events = useStore(run?.events ?? NO_EVENTS_STORE);
  return useMemo(() => (events.length > limit ? events.slice(-limit) : events), [events, limit]);
}
