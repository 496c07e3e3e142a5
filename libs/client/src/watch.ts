import type { RunState, RunStatus, SnapshotReason, ToolstreamEvent } from '@toolstream/proto-events';
import type { Channel, Listener } from './channel.ts';
import { Emitter } from './emitter.ts';
import { type ToolstreamError, watchClosed } from './errors.ts';
import type { AppState } from './fold.ts';
import { ItemQueue } from './queue.ts';
import type { Output, Track } from './track.ts';
import type { Target } from './transport.ts';

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
  /** Of a message: the run that is followed from now on. */
  attached: { readonly run: string; readonly app: string };
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

/** Follows the newest run of a message, from before there is one, until it is closed. */
export interface MessageWatch extends AsyncIterable<WatchItem<RunState>> {
  readonly message_id: string;
  /** The run that is followed; `undefined` while there is none. */
  readonly run: string | undefined;
  readonly state: RunState | undefined;
  readonly cursor: string | undefined;
  on<N extends keyof WatchEvents<RunState>>(name: N, listener: (payload: WatchEvents<RunState>[N]) => void): () => void;
  /** The state at the first end of a run. The watch goes on: the message may get another run. */
  readonly done: Promise<RunState>;
  close(): void;
}

const ITEMS_KEPT = 10_000;

/** One caller's view of a subscription that others may share; of a message, of one after the other. */
export class Watch<S> implements Listener<S> {
  readonly #leave: () => void;
  readonly #target: Target;
  readonly #emitter = new Emitter<WatchEvents<S>>();
  readonly #queues = new Set<ItemQueue<WatchItem<S>>>();
  readonly #done = Promise.withResolvers<S>();
  #channel: Channel<S> | undefined;
  #over: { error?: ToolstreamError } | undefined;

  constructor(target: Target, leave: () => void) {
    this.#target = target;
    this.#leave = leave;
    // A caller that does not look at `done` is not to die of it.
    this.#done.promise.catch(() => {});
  }

  /** Shows this subscription from now on. What it knows already is the first snapshot; how far it is, what follows. */
  attach(channel: Channel<S>, run?: { readonly run: string; readonly app: string }): void {
    this.#channel?.listeners.delete(this);
    this.#channel = channel;
    const { phase, state } = channel.track;
    if (phase !== 'ended') channel.listeners.add(this);
    if (run) this.#emitter.emit('attached', run);
    if (state !== undefined) queueMicrotask(() => this.#greet(channel, phase));
  }

  get channel(): Channel<S> | undefined {
    return this.#channel;
  }

  get message_id(): string {
    return 'message_id' in this.#target ? this.#target.message_id : '';
  }

  get run(): string {
    const target = this.#channel?.target ?? this.#target;
    // Of a message there may be none, as `MessageWatch` says.
    return ('run' in target ? target.run : undefined) as string;
  }

  get app(): string {
    return 'app' in this.#target ? this.#target.app : '';
  }

  get state(): S | undefined {
    return this.#channel?.track.state;
  }

  get cursor(): string | undefined {
    return this.#channel?.position;
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
        if ('app' in this.#target) return;
        this.#done.resolve(this.state as S);
        if ('run' in this.#target) this.#finish();
        return;
      default:
        this.#emitter.emit(
          output.type,
          output as Extract<Output<S>, { type: 'caught_up' }> & Extract<Output<S>, { type: 'gap' }>,
        );
    }
  }

  failed(error: ToolstreamError, fatal: boolean): void {
    // A message outlives each of its runs.
    if (fatal && !('message_id' in this.#target)) this.fail(error);
    else if (error.code !== 'client_closed') this.#emitter.emit('error', error);
  }

  fail(error: ToolstreamError): void {
    // Closing the client is no mishap: it ends `done` and iterations, and nobody is alarmed.
    if (error.code !== 'client_closed') this.#emitter.emit('error', error);
    this.#done.reject(error);
    this.#finish(error);
  }

  #greet(channel: Channel<S>, phase: Track<S>['phase']): void {
    const { state, cursor } = this;
    if (this.#over || this.#channel !== channel || state === undefined || cursor === undefined) return;
    this.output({ type: 'snapshot', state, cursor, reason: 'cold' });
    const { end } = channel;
    if (phase === 'live') this.output({ type: 'caught_up', cursor });
    if (phase === 'ended' && end?.type === 'end') this.output(end);
  }

  #item(item: WatchItem<S>): void {
    for (const queue of [...this.#queues]) queue.push(item);
    this.#emitter.emit(item.type, item as WatchedSnapshot<S> & WatchedEvent<S> & WatchedEnd);
  }

  #finish(error?: ToolstreamError): void {
    this.#over = error === undefined ? {} : { error };
    for (const queue of [...this.#queues]) queue.finish(error);
    this.#queues.clear();
    this.#emitter.clear();
  }
}
