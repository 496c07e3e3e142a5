import type { Client, RunWatch, ToolstreamError, WatchedEvent } from '@toolstream/client';
import { type PendingCommand, type RefusedCommand, RunCommands, type RunControls } from './commands.ts';
import { ServiceClock } from './time.ts';
import { hasRunEnded, type RunState, type Store, type WatchStatus } from './types.ts';
import { createViewStore, type ViewStore } from './view-store.ts';

/** A run as a component sees it: immutable, and the same object until something changed. */
export interface RunView {
  readonly run: RunState | undefined;
  readonly cursor: string | undefined;
  readonly status: WatchStatus;
  /** Everything that had happened when watching began is in `run`. */
  readonly caughtUp: boolean;
  readonly ended: boolean;
  /** Why it cannot be watched; with another status than `failed`, trouble that is being dealt with. */
  readonly error: ToolstreamError | undefined;
  readonly pending: readonly PendingCommand[];
  readonly refused: RefusedCommand | undefined;
  /** How often frames did not join up and were asked for again. Nothing is missing because of it. */
  readonly gaps: number;
  /** The last time that a snapshot replaced events that could not be sent one by one. */
  readonly jumped: { readonly reason: string; readonly cursor: string } | undefined;
  /** How far the service's clock, which an event's `time` is of, is ahead of this one's. */
  readonly aheadMs: number;
}

/** One of the newest events of a run, without the state that went with it. */
export type RecentEvent = Pick<WatchedEvent<RunState>, 'event' | 'cursor' | 'folded'>;

export interface RunStoreOptions {
  /** Begin after this cursor; `'start'`: with every event from the first. Absent: with a snapshot. */
  readonly cursor?: string | undefined;
  /** A state from elsewhere (a server, a cache) with its cursor: shown at once, and gone on from. */
  readonly initial?: (RunState & { readonly cursor: string }) | undefined;
}

export interface RunStore extends Store<RunView> {
  readonly run: string;
  readonly controls: RunControls;
  /** The newest events since it was watched, oldest first: at most what {@link keep} was asked for. */
  readonly events: Store<readonly RecentEvent[]>;
  /** From now on this many of the newest events are kept, at most {@link EVENTS_KEPT_AT_MOST}. */
  keep(events: number): void;
  /** Tries again after a failure, at the place where it stood. */
  retry(): void;
  /** Leaves at once; the run goes on. Subscribers that come later open it again. */
  close(): void;
}

export const EVENTS_KEPT_AT_MOST = 10_000;
const NO_COMMANDS: readonly PendingCommand[] = [];
const NO_EVENTS: readonly RecentEvent[] = [];

export const IDLE_RUN: RunView = {
  run: undefined,
  cursor: undefined,
  status: 'idle',
  caughtUp: false,
  ended: false,
  error: undefined,
  pending: NO_COMMANDS,
  refused: undefined,
  gaps: 0,
  jumped: undefined,
  aheadMs: 0,
};

/** A run for whoever renders: views at most once per frame, one watch however many subscribe. */
export function createRunStore(client: Client | (() => Client), run: string, options: RunStoreOptions = {}): RunStore {
  return new LiveRun(typeof client === 'function' ? client : () => client, run, options);
}

class LiveRun implements RunStore {
  readonly run: string;
  readonly controls: RunControls;
  readonly events: Store<readonly RecentEvent[]>;
  readonly subscribe: RunStore['subscribe'];
  readonly getSnapshot: RunStore['getSnapshot'];
  readonly getServerSnapshot: RunStore['getServerSnapshot'];
  readonly #client: () => Client;
  readonly #from: string | undefined;
  readonly #store: ViewStore<RunView>;
  readonly #commands: RunCommands;
  readonly #clock = new ServiceClock();
  #view: RunView;
  #dirty = false;
  #watch: RunWatch | undefined;
  #recent: RecentEvent[] = [];
  #shown: readonly RecentEvent[] = NO_EVENTS;
  #kept = 0;

  constructor(client: () => Client, run: string, { cursor, initial }: RunStoreOptions) {
    this.run = run;
    this.#client = client;
    this.#from = cursor;
    this.#view = { ...IDLE_RUN, ...(initial ? begun(initial) : { status: 'loading' }) };
    this.#store = createViewStore(this.#view, {
      view: () => this.#render(),
      open: () => this.#open(),
      close: () => this.#leave(),
    });
    this.#commands = new RunCommands(client, run, () => this.#change({}));
    this.controls = this.#commands.controls;
    this.subscribe = this.#store.subscribe;
    this.getSnapshot = this.#store.getSnapshot;
    this.getServerSnapshot = this.#store.getServerSnapshot;
    this.events = {
      subscribe: this.subscribe,
      getSnapshot: () => this.#shown,
      getServerSnapshot: () => NO_EVENTS,
    };
  }

  keep(events: number): void {
    this.#kept = Math.min(EVENTS_KEPT_AT_MOST, Math.max(this.#kept, events));
  }

  retry(): void {
    if (this.#view.status !== 'failed') return;
    this.#leave();
    this.#change({ error: undefined, status: this.#view.run ? 'live' : 'loading' });
    if (this.#store.isOpen) this.#open();
  }

  close(): void {
    this.#store.close();
  }

  #open(): void {
    // An ended run has nothing more to say.
    if (this.#watch || this.#view.ended) return;
    try {
      this.#attach(this.#begin());
    } catch (error) {
      this.#change({ status: 'failed', error: error as ToolstreamError });
    }
  }

  /** Goes on where this store was; where others watch the run already, with them. */
  #begin(): RunWatch {
    const { run: state, cursor } = this.#view;
    const from =
      state && cursor !== undefined ? { cursor, state } : this.#from === undefined ? {} : { cursor: this.#from };
    try {
      return this.#client().watch(this.run, from);
    } catch (error) {
      if ((error as ToolstreamError).code !== 'already_watched') throw error;
      return this.#client().watch(this.run);
    }
  }

  #attach(watch: RunWatch): void {
    this.#watch = watch;
    watch.on('snapshot', ({ state, cursor, reason }) => {
      this.#settled(state, cursor, reason === 'cold' ? {} : { jumped: { reason, cursor } });
    });
    watch.on('event', ({ event, cursor, folded, state }) => {
      this.#remember({ event, cursor, ...(folded === undefined ? {} : { folded }) });
      this.#clock.heard(event.time, Date.now());
      this.#settled(state, cursor, {});
    });
    watch.on('caught_up', () => this.#change({ caughtUp: true, error: undefined }));
    watch.on('gap', () => this.#change({ gaps: this.#view.gaps + 1 }));
    watch.on('error', (error) => this.#change({ error }));
    watch.on('end', ({ cursor }) =>
      this.#change({ cursor, status: 'ended', ended: true, caughtUp: true, error: undefined }),
    );
    watch.done.then(
      () => {},
      (error: ToolstreamError) => {
        if (this.#watch === watch) this.#change({ status: 'failed', error });
      },
    );
  }

  #settled(run: RunState, cursor: string, more: Partial<RunView>): void {
    this.#commands.settle(run);
    this.#change({ run, cursor, status: 'live', error: undefined, ...more });
  }

  #remember(item: RecentEvent): void {
    if (this.#kept === 0) return;
    this.#recent.push(item);
    // Twice the bound at most, so that the rest is moved seldom.
    if (this.#recent.length > 2 * this.#kept) this.#recent = this.#recent.slice(-this.#kept);
  }

  #change(change: Partial<RunView>): void {
    this.#view = { ...this.#view, ...change };
    this.#dirty = true;
    this.#store.changed();
  }

  #render(): RunView {
    if (!this.#dirty) return this.#store.getSnapshot();
    this.#dirty = false;
    const last = this.#recent.at(-1);
    if (last !== this.#shown.at(-1)) this.#shown = this.#recent.slice(-this.#kept);
    const { pending, refused } = this.#commands;
    const aheadMs = this.#clock.ahead;
    this.#view = { ...this.#view, pending: pending.length === 0 ? NO_COMMANDS : pending, refused, aheadMs };
    return this.#view;
  }

  #leave(): void {
    const watch = this.#watch;
    this.#watch = undefined;
    watch?.close();
    this.#change({ caughtUp: this.#view.ended });
  }
}

function begun({ cursor, ...state }: RunState & { readonly cursor: string }): Partial<RunView> {
  const run = state as RunState;
  const ended = hasRunEnded(run.status);
  return { run, cursor, status: ended ? 'ended' : 'live', ended, caughtUp: ended };
}
