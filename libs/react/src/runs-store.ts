import type { AppWatch, Client, ToolstreamError } from '@toolstream/client';
import type { RunState, Store, WatchStatus } from './types.ts';
import { createViewStore } from './view-store.ts';

/** An app's runs: those that are live, newest first, and the newest of those that ended while they were watched. */
export interface RunsView {
  readonly runs: readonly RunState[];
  /** There are more live runs than are listed. */
  readonly more: boolean;
  readonly status: WatchStatus;
  readonly caughtUp: boolean;
  readonly error: ToolstreamError | undefined;
}

export interface RunsStore extends Store<RunsView> {
  close(): void;
}

export const IDLE_RUNS: RunsView = { runs: [], more: false, status: 'idle', caughtUp: false, error: undefined };
const LOADING_RUNS: RunsView = { ...IDLE_RUNS, status: 'loading' };

/** An app's runs for whoever renders: views at most once per frame, one watch however many subscribe. */
export function createRunsStore(client: Client | (() => Client), app: string): RunsStore {
  let view = LOADING_RUNS;
  let watch: AppWatch | undefined;
  const change = (change: Partial<RunsView>) => {
    view = { ...view, ...change };
    store.changed();
  };
  const store = createViewStore(view, {
    view: () => view,
    open: () => {
      // A list from before may hold runs that ended meanwhile: it is asked for afresh.
      change({ error: undefined, caughtUp: false, status: 'loading' });
      try {
        watch = (typeof client === 'function' ? client() : client).watchApp(app);
      } catch (error) {
        change({ status: 'failed', error: error as ToolstreamError });
        return;
      }
      const mine = watch;
      watch.on('state', ({ runs, more }) => change({ runs, more, status: 'live', error: undefined }));
      watch.on('caught_up', () => change({ caughtUp: true, error: undefined }));
      watch.on('error', (error) => change({ error }));
      void ended(mine).then((error) => {
        if (watch === mine && error) change({ status: 'failed', error });
      });
    },
    close: () => {
      const left = watch;
      watch = undefined;
      left?.close();
    },
  });
  return store;
}

/** An app has no end; iterating is what tells that it cannot be watched (any longer). */
async function ended(watch: AppWatch): Promise<ToolstreamError | undefined> {
  try {
    for await (const _ of watch);
    return undefined;
  } catch (error) {
    return error as ToolstreamError;
  }
}
