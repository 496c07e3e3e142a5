import type { AppState, ConnectionState, WatchedEvent } from '@toolstream/client';

export type RunState = AppState['runs'][number];
export type RunStatus = RunState['status'];
export type ToolState = RunState['tools'][number];
export type ToolStatus = ToolState['status'];
export type ToolstreamEvent = WatchedEvent<RunState>['event'];

const RUN_ENDS: ReadonlySet<RunStatus> = new Set(['succeeded', 'failed', 'cancelled']);
const TOOL_ENDS: ReadonlySet<ToolStatus> = new Set(['succeeded', 'failed', 'cancelled', 'skipped', 'denied']);
export const hasRunEnded = (status: RunStatus): boolean => RUN_ENDS.has(status);
export const hasToolEnded = (status: ToolStatus): boolean => TOOL_ENDS.has(status);

/** What `useSyncExternalStore` takes. Snapshots are immutable, and the same object until something changed. */
export interface Store<T> {
  subscribe(listener: () => void): () => void;
  getSnapshot(): T;
  /** What a server renders, and a browser while it hydrates. */
  getServerSnapshot(): T;
}

/**
 * How it stands with watching, which is neither the run's status nor the connection's: `loading` until something is known,
 * `live` while it is followed, `ended` with the run, `failed` when it cannot be watched (`error` says why), `idle` without
 * something to watch.
 */
export type WatchStatus = 'idle' | 'loading' | 'live' | 'ended' | 'failed';

export interface ConnectionView extends ConnectionState {
  /** When the status became what it is, in milliseconds since the epoch. */
  readonly since: number;
  /** The last time that an open connection was lost; without `to` it is still away. */
  readonly interruption?: { readonly from: number; readonly to?: number; readonly reason?: string };
}
