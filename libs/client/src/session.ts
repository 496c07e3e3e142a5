import type { ClientFrame, RunCommandName, RunState, ServerFrame } from '@toolstream/proto-events';
import { Channel, keyOf, type Target } from './channel.ts';
import { type CommandArguments, type CommandOptions, Commands } from './commands.ts';
import { Connection, type ConnectionOptions, type ConnectionState } from './connection.ts';
import { ApiError, clientClosed, ToolstreamError } from './errors.ts';
import { type AppState, appFold, type Fold, runFold } from './fold.ts';
import { uniqueId } from './ids.ts';
import { Timers } from './timers.ts';
import { beginTrack } from './track.ts';
import { type AppWatch, type RunWatch, Watch } from './watch.ts';

export interface WatchOptions<S> {
  /** Go on after this cursor. `'start'`: every event from the first. Absent: a snapshot, then what happens. */
  readonly cursor?: string;
  /** The state at `cursor`, where one kept it: without, the run is replayed to rebuild it. */
  readonly state?: S;
}

/** The hello frame stays well below the size that the service accepts; further subscriptions follow the greeting. */
const SUBSCRIPTIONS_IN_HELLO = 64;
const UNIQUE_ID_LENGTH = 16;
const LINGER_MS = 5_000;

/** Everything that shares the one socket: subscriptions by what they watch, and commands by id. */
export class Session {
  readonly #connection: Connection;
  readonly #commands: Commands;
  readonly #channels = new Map<string, Channel<never>>();
  readonly #timers = new Timers<'linger'>();
  readonly #random: () => number;
  readonly #onConnection: (state: ConnectionState) => void;
  readonly #name = uniqueId();
  #announced = new Set<string>();
  #closed = false;

  constructor(
    options: Pick<ConnectionOptions, 'url' | 'tokens' | 'WebSocket' | 'now' | 'random'>,
    onConnection: (state: ConnectionState) => void,
  ) {
    this.#random = options.random;
    this.#onConnection = onConnection;
    this.#commands = new Commands((frame) => this.#connection.send(frame));
    this.#connection = new Connection({
      ...options,
      hello: (token) => this.#hello(token),
      positions: () => this.#positions(),
      onState: (state) => this.#changed(state),
      onOpen: () => this.#opened(),
      onFrame: (frame) => this.#received(frame),
      onFatal: (error) => this.#failAll(error),
    });
  }

  get connection(): ConnectionState {
    return this.#connection.state;
  }

  watchRun(run: string, options: WatchOptions<RunState>): RunWatch {
    return this.#watch({ run }, runFold, options);
  }

  watchApp(app: string, options: WatchOptions<AppState>): AppWatch {
    return this.#watch({ app }, appFold, options);
  }

  command(
    run: string,
    name: RunCommandName,
    args: CommandArguments,
    options: CommandOptions,
  ): Promise<{ cursor: string }> {
    if (this.#closed) return Promise.reject(clientClosed());
    this.#needed();
    const { id = uniqueId(), timeoutMs } = options;
    // The service takes a short id as one of its connection only; a command must outlive that.
    const unique = id.length < UNIQUE_ID_LENGTH ? `${this.#name}-${id}` : id;
    const answer = this.#commands.issue(run, name, args, unique, timeoutMs);
    return answer.finally(() => this.#maybeRest());
  }

  hurry(): void {
    this.#connection.hurry();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.clear();
    this.#failAll(clientClosed());
    this.#connection.close();
  }

  #watch<S>(target: Target, fold: Fold<S>, options: WatchOptions<S>): Watch<S> {
    if (this.#closed) throw clientClosed();
    const key = keyOf(target);
    let channel = this.#channels.get(key) as Channel<S> | undefined;
    if (channel && options.cursor !== undefined) {
      const message = 'This is being watched already, at its own place: close that watch, or join it without a cursor.';
      throw new ToolstreamError('already_watched', message);
    }
    if (!channel) {
      channel = new Channel(target, beginTrack(fold, options), {
        send: (frame) => this.#connection.send(frame),
        random: this.#random,
        giveUp: () => this.#connection.drop(4202),
        over: (ended) => this.#remove(ended),
      });
      this.#channels.set(key, channel as Channel<never>);
      if (this.#connection.state.status === 'open') {
        this.#announced.add(key);
        channel.subscribe();
      }
      this.#needed();
    }
    const shared = channel;
    const watch: Watch<S> = new Watch(shared, () => this.#left(key, shared, watch));
    shared.listeners.add(watch);
    return watch;
  }

  #left<S>(key: string, channel: Channel<S>, watch: Watch<S>): void {
    channel.listeners.delete(watch);
    if (channel.listeners.size > 0 || this.#channels.get(key) !== (channel as Channel<never>)) return;
    channel.close();
    this.#connection.send({ type: 'unsubscribe', ...channel.target });
    this.#remove(key);
  }

  #remove(key: string): void {
    this.#channels.delete(key);
    this.#announced.delete(key);
    this.#maybeRest();
  }

  #needed(): void {
    this.#timers.stop('linger');
    this.#connection.want();
  }

  /** A socket that nobody uses is closed after a while; the next watch or command opens one. */
  #maybeRest(): void {
    if (this.#closed || this.#channels.size > 0 || this.#commands.size > 0) return;
    this.#timers.set('linger', LINGER_MS, () => this.#connection.rest());
  }

  #hello(token: string): ClientFrame {
    this.#announced = new Set([...this.#channels.keys()].slice(0, SUBSCRIPTIONS_IN_HELLO));
    const subscribe = [...this.#announced].map((key) => this.#channels.get(key)!.resume());
    return { type: 'hello', token, subscribe };
  }

  #opened(): void {
    for (const [key, channel] of this.#channels) {
      if (this.#announced.has(key)) continue;
      this.#announced.add(key);
      channel.subscribe();
    }
    this.#commands.resend();
  }

  #positions(): Record<string, string> {
    const positions: Record<string, string> = {};
    for (const channel of this.#channels.values()) {
      const { position, target } = channel;
      if (position !== undefined) positions['run' in target ? target.run : target.app] = position;
    }
    return positions;
  }

  #changed(state: ConnectionState): void {
    if (state.status !== 'open') for (const channel of this.#channels.values()) channel.disconnected();
    this.#onConnection(state);
  }

  #received(frame: ServerFrame): void {
    switch (frame.type) {
      case 'snapshot':
      case 'event':
      case 'caught_up':
      case 'end':
        this.#channels.get(keyOf(frame))?.receive(frame);
        return;
      case 'ack':
        this.#commands.answered(frame.id, frame.cursor);
        return;
      case 'error': {
        const error = new ApiError(frame.code, frame.message);
        if (frame.id !== undefined) this.#commands.refused(frame.id, error);
        else if (frame.run !== undefined || frame.app !== undefined) this.#channels.get(keyOf(frame))?.refused(error);
      }
    }
  }

  #failAll(error: ToolstreamError): void {
    this.#commands.failAll(error);
    for (const channel of [...this.#channels.values()]) channel.fail(error);
  }
}
