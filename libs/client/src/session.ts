import { CURSOR_START, type RunCommandName, type RunState } from '@toolstream/proto-events';
import { Channel, type Link } from './channel.ts';
import { type CommandArguments, type CommandOptions, Commands } from './commands.ts';
import type { ConnectionState } from './connection-state.ts';
import { clientClosed, ToolstreamError } from './errors.ts';
import { type AppState, appFold, type Fold, runFold } from './fold.ts';
import { uniqueId } from './ids.ts';
import { MessageFollower } from './message-follower.ts';
import { Switchboard, type SwitchboardOptions } from './switchboard.ts';
import { Timers } from './timers.ts';
import { beginTrack } from './track.ts';
import { keyOf, type Subscriber, type Target } from './transport.ts';
import { type AppWatch, type MessageWatch, type RunWatch, Watch } from './watch.ts';

export interface WatchOptions<S> {
  /** Go on after this cursor. `'start'`: every event from the first. Absent: a snapshot, then what happens. */
  readonly cursor?: string;
  /** The state at `cursor`, where one kept it: without, the run is replayed to rebuild it. */
  readonly state?: S;
}

export type SessionOptions = Omit<
  SwitchboardOptions,
  'subscribers' | 'onState' | 'onAck' | 'onRefused' | 'onCommands' | 'onTrouble' | 'onFatal' | 'isPending'
>;

const UNIQUE_ID_LENGTH = 16;
const LINGER_MS = 5_000;

/** Everything that shares the connection: subscriptions by what they watch, and commands by id. */
export class Session {
  readonly #board: Switchboard;
  readonly #commands: Commands;
  readonly #link: Link;
  readonly #channels = new Map<string, Channel<never>>();
  readonly #messages = new Map<string, MessageFollower>();
  readonly #timers = new Timers<'linger'>();
  readonly #name = uniqueId();
  #closed = false;

  constructor(options: SessionOptions, onConnection: (state: ConnectionState) => void) {
    this.#commands = new Commands((frame) => this.#board.command(frame));
    this.#board = new Switchboard({
      ...options,
      subscribers: () => this.#subscribers(),
      onState: onConnection,
      onAck: (id, cursor) => this.#commands.answered(id, cursor),
      onRefused: (id, error) => this.#commands.refused(id, error),
      isPending: (id) => this.#commands.isPending(id),
      onCommands: () => this.#commands.resend(),
      onTrouble: (error) => this.#tell(error),
      onFatal: (error) => this.#failAll(error),
    });
    this.#link = {
      random: options.random,
      resubscribe: (subscriber, cursor) => this.#board.resubscribe(subscriber, cursor),
      giveUp: (subscriber) => this.#board.giveUp(subscriber),
      over: (subscriber) => this.#remove(subscriber),
    };
  }

  get connection(): ConnectionState {
    return this.#board.state;
  }

  watchRun(run: string, options: WatchOptions<RunState>): RunWatch {
    return this.#watch({ run }, runFold, options);
  }

  watchApp(app: string, options: WatchOptions<AppState>): AppWatch {
    return this.#watch({ app }, appFold, options);
  }

  watchMessage(message_id: string): MessageWatch {
    if (this.#closed) throw clientClosed();
    const key = keyOf({ message_id });
    const follower = this.#messages.get(key) ?? this.#follower(message_id, key);
    return follower.join();
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

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timers.clear();
    this.#failAll(clientClosed());
    this.#board.close();
  }

  #watch<S>(target: Target, fold: Fold<S>, options: WatchOptions<S>): Watch<S> {
    if (this.#closed) throw clientClosed();
    const known = this.#channels.get(keyOf(target)) as Channel<S> | undefined;
    if (known && options.cursor !== undefined) {
      const message = 'This is being watched already, at its own place: close that watch, or join it without a cursor.';
      throw new ToolstreamError('already_watched', message);
    }
    const channel = known ?? this.#open(target, fold, options, (opened) => this.#board.subscribe(opened));
    const watch: Watch<S> = new Watch(target, () => {
      channel.listeners.delete(watch);
      this.#left(channel);
    });
    watch.attach(channel);
    return watch;
  }

  #open<S>(target: Target, fold: Fold<S>, from: WatchOptions<S>, carry: (channel: Channel<S>) => void): Channel<S> {
    const channel = new Channel(target, beginTrack(fold, from), this.#link);
    this.#channels.set(channel.key, channel as Channel<never>);
    carry(channel);
    this.#needed();
    return channel;
  }

  #follower(message_id: string, key: string): MessageFollower {
    const follower = new MessageFollower(message_id, {
      random: this.#link.random,
      resubscribe: (link, cursor) => this.#board.resubscribe(link, cursor),
      follow: (run, fresh) => {
        const known = this.#channels.get(keyOf({ run })) as Channel<RunState> | undefined;
        return (
          known ?? this.#open({ run }, runFold, fresh ? { cursor: CURSOR_START } : {}, (c) => this.#board.follow(c))
        );
      },
      left: (channel) => {
        // The service has followed it for the message only; whoever watches the run itself has to ask for it now.
        if (channel.listeners.size > 0) this.#board.subscribe(channel);
        else this.#left(channel);
      },
      over: () => this.#remove(follower.link),
    });
    this.#messages.set(key, follower);
    this.#board.subscribe(follower.link);
    this.#needed();
    return follower;
  }

  *#subscribers(): Generator<Subscriber> {
    yield* this.#channels.values();
    for (const { link } of this.#messages.values()) yield link;
  }

  #left<S>(channel: Channel<S>): void {
    if (channel.listeners.size > 0 || this.#channels.get(channel.key) !== (channel as Channel<never>)) return;
    channel.close();
    this.#remove(channel);
  }

  #remove(subscriber: Subscriber): void {
    this.#channels.delete(subscriber.key);
    this.#messages.delete(subscriber.key);
    this.#board.unsubscribe(subscriber);
    this.#maybeRest();
  }

  #needed(): void {
    this.#timers.stop('linger');
    this.#board.want();
  }

  /** A connection that nobody uses is closed after a while; the next watch or command opens one. */
  #maybeRest(): void {
    if (this.#closed || this.#channels.size + this.#messages.size + this.#commands.size > 0) return;
    this.#timers.set('linger', LINGER_MS, () => this.#board.rest());
  }

  /** Nothing is over, but whoever watches hears of it. */
  #tell(error: ToolstreamError): void {
    for (const channel of [...this.#channels.values()]) channel.tell(error);
    for (const follower of [...this.#messages.values()]) follower.tell(error);
  }

  #failAll(error: ToolstreamError): void {
    this.#commands.failAll(error);
    for (const follower of [...this.#messages.values()]) follower.fail(error);
    for (const channel of [...this.#channels.values()]) channel.fail(error);
  }
}
