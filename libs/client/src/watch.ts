import type { RunState, RunStatus, SnapshotReason, ToolstreamEvent } from '@toolstream/proto-events';
import type { Channel, Listener } from './channel.ts';
import { Emitter } from './emitter.ts';
import { type ToolstreamError, watchClosed } from './errors.ts';
import type { AppState } from './fold.ts';
import { ItemQueue } from './queue.ts';
import { type Output, resumeCursor } from './track.ts';

export interface WatchedSnapshot<S> {
  readonly type: 'snapshot';
  readonly state: S;
  readonly cursor: string;
  /** `cold`: the beginning. Anything else: what lies between the last event and this could not be sent one by one. */
  readonly reason: SnapshotReason;
}
export interface WatchedEvent<S> {
  readonly type: 'event';
  readonly run: string;
  readonly event: ToolstreamEvent;
  readonly cursor: string;
  /** Number of events that this one stands for, where the service folded a range of progress. */
  readonly folded?: number;
  /** The state with this event applied. */
  readonly state: S;
}
export interface WatchedEnd {
  readonly type: 'end';
  readonly run: string;
  readonly status: RunStatus;
  readonly cursor: string;
}
/** What `for await` gives: everything that happens, in order. */
export type WatchItem<S> = WatchedSnapshot<S> | WatchedEvent<S> | WatchedEnd;

export type WatchEvents<S> = {
  /** After every change. */
  state: S;
  snapshot: WatchedSnapshot<S>;
  event: WatchedEvent<S>;
  /** Everything that had happened when the subscription began has been received. */
  caught_up: { readonly cursor: string };
  end: WatchedEnd;
  /** Frames did not join up; nothing is lost, the subscription resumes by itself. */
  gap: { readonly expected: string; readonly received: string };
  error: ToolstreamError;
};

export interface RunWatch extends AsyncIterable<WatchItem<RunState>> {
  readonly run: string;
  /** `undefined` until the first frame. */
  readonly state: RunState | undefined;
  /** Hand it back, with the state, to go on from here later. */
  readonly cursor: string | undefined;
  on<N extends keyof WatchEvents<RunState>>(name: N, listener: (payload: WatchEvents<RunState>[N]) => void): () => void;
  /** The state at the run's end. Rejects when the run cannot be watched, or the watch or client is closed before. */
  readonly done: Promise<RunState>;
  close(): void;
}

export interface AppWatch extends AsyncIterable<WatchItem<AppState>> {
  readonly app: string;
  readonly state: AppState | undefined;
  readonly cursor: string | undefined;
  on<N extends keyof WatchEvents<AppState>>(name: N, listener: (payload: WatchEvents<AppState>[N]) => void): () => void;
  close(): void;
}

const ITEMS_KEPT = 10_000;

/** One caller's view of a subscription that others may share. */
export class Watch<S> implements Listener<S> {
  readonly #channel: Channel<S>;
  readonly #leave: () => void;
  readonly #emitter = new Emitter<WatchEvents<S>>();
  readonly #queues = new Set<ItemQueue<WatchItem<S>>>();
  readonly #done = Promise.withResolvers<S>();
  #over: { error?: ToolstreamError } | undefined;

  constructor(channel: Channel<S>, leave: () => void) {
    this.#channel = channel;
    this.#leave = leave;
    // A caller that does not look at `done` is not to die of it.
    this.#done.promise.catch(() => {});
    // Joining a subscription that has begun: what it knows is this watch's first snapshot.
    if (channel.track.state !== undefined) queueMicrotask(() => this.#greet());
  }

  get run(): string {
    return 'run' in this.#channel.target ? this.#channel.target.run : '';
  }

  get app(): string {
    return 'app' in this.#channel.target ? this.#channel.target.app : '';
  }

  get state(): S | undefined {
    return this.#channel.track.state;
  }

  get cursor(): string | undefined {
    return this.state === undefined ? undefined : resumeCursor(this.#channel.track);
  }

  get done(): Promise<S> {
    return this.#done.promise;
  }

  on<N extends keyof WatchEvents<S>>(name: N, listener: (payload: WatchEvents<S>[N]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<WatchItem<S>> {
    const queue: ItemQueue<WatchItem<S>> = new ItemQueue(ITEMS_KEPT, () => this.#queues.delete(queue));
    if (this.#over) queue.finish(this.#over.error);
    else this.#queues.add(queue);
    return queue;
  }

  close(): void {
    if (this.#over) return;
    this.#finish();
    this.#done.reject(watchClosed());
    this.#leave();
  }

  output(output: Output<S>): void {
    switch (output.type) {
      case 'snapshot':
      case 'event':
        this.#item(output);
        this.#emitter.emit('state', output.state);
        return;
      case 'end':
        this.#item(output);
        if (this.run === '') return;
        this.#done.resolve(this.state as S);
        this.#finish();
        return;
      case 'caught_up':
        this.#emitter.emit('caught_up', output);
        return;
      case 'gap':
        this.#emitter.emit('gap', output);
    }
  }

  failed(error: ToolstreamError, fatal: boolean): void {
    // Closing the client is no mishap: it ends `done` and iterations, and nobody is alarmed.
    if (error.code !== 'client_closed') this.#emitter.emit('error', error);
    if (!fatal) return;
    this.#done.reject(error);
    this.#finish(error);
  }

  #greet(): void {
    const { state, cursor } = this;
    if (this.#over || state === undefined || cursor === undefined) return;
    this.output({ type: 'snapshot', state, cursor, reason: 'cold' });
  }

  #item(item: WatchItem<S>): void {
    for (const queue of [...this.#queues]) queue.push(item);
    if (item.type === 'snapshot') this.#emitter.emit('snapshot', item);
    else if (item.type === 'event') this.#emitter.emit('event', item);
    else this.#emitter.emit('end', item);
  }

  #finish(error?: ToolstreamError): void {
    this.#over = error === undefined ? {} : { error };
    for (const queue of [...this.#queues]) queue.finish(error);
    this.#queues.clear();
    this.#emitter.clear();
  }
}
