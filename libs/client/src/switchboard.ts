import { Choice } from './choice.ts';
import { type ConnectionState, isSameState } from './connection-state.ts';
import type { ToolstreamError } from './errors.ts';
import type { Fallback, FallbackOptions } from './fallback.ts';
import { readFrame } from './frames.ts';
import type { CommandFrame } from './http-commands.ts';
import { Loading, type LoadingOptions } from './loading.ts';
import type { Part } from './part.ts';
import type { Reach } from './reach.ts';
import { refusal } from './refusal.ts';
import { type SocketOptions, SocketTransport } from './socket.ts';
import { Timers } from './timers.ts';
import { type RequestTransportName, type Subscriber, TRANSPORTS, type TransportName } from './transport.ts';
import { watchSleep } from './wake.ts';

/** What a fallback is made with by those who use it; the rest comes with the part that it is in. */
export type FallbackUse = Omit<FallbackOptions, 'http' | 'post'>;

export interface SwitchboardOptions
  extends Pick<SocketOptions, 'tokens' | 'now' | 'random' | 'timing' | 'onAck' | 'onRefused'>,
    Pick<FallbackOptions, 'isPending'>,
    LoadingOptions {
  readonly url: string;
  readonly reach: Reach;
  readonly fallback: Part<(use: FallbackUse) => Fallback>;
  /** `undefined` where there are none. */
  readonly WebSocket: SocketOptions['WebSocket'] | undefined;
  /** Those that may be used, in the order of `TRANSPORTS`. */
  readonly transports: readonly TransportName[];
  subscribers(): Iterable<Subscriber>;
  onState(state: ConnectionState): void;
  /** Commands that wait for an answer are to be issued again. */
  onCommands(): void;
  onFatal(error: ToolstreamError): void;
}

/**
 * Everything that carries frames and commands, as one connection: a socket, or the fallback. Whoever is moved goes on at its
 * cursor, so a change of transports loses nothing and is no event of any run.
 */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #socket: SocketTransport | undefined;
  /** The fallback's transports. */
  readonly #requests: readonly RequestTransportName[];
  readonly #choice: Choice;
  /** Of the fallback. */
  readonly #loading: Loading;
  readonly #timers = new Timers<'load'>();
  #onSocket: boolean;
  /** There once it was needed, until the socket takes over. */
  #fallback: Fallback | undefined;
  #life: 'idle' | 'on' | 'frozen' | 'closed' = 'idle';
  #state: ConnectionState;
  #ended: string | undefined;
  #shown = true;
  #awake = () => {};

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    const { WebSocket, transports, timing, random } = options;
    this.#requests = TRANSPORTS.filter((name) => name !== 'websocket').filter((name) => transports.includes(name));
    this.#onSocket = transports.includes('websocket') && WebSocket !== undefined;
    if (!this.#onSocket && this.#requests.length === 0)
      throw new TypeError('none of the transports that are allowed exists here');
    this.#socket = this.#onSocket ? new SocketTransport(this.#socketOptions(WebSocket!)) : undefined;
    this.#loading = new Loading(options.fallback, options);
    this.#choice = new Choice({
      timing,
      random,
      mayStepDown: this.#requests.length > 0,
      isOn: () => this.#life === 'on',
      isOnSocket: () => this.#onSocket,
      isDialling: () => this.#socket?.connection.state.status === 'connecting',
      hurry: () => this.#socket?.connection.hurry(),
      reach: () => this.#mayFallBack(),
      onBlocked: () => this.#switchTo(false),
      onHeld: () => this.#switchTo(true),
    });
    this.#state = { status: 'idle', transport: this.#transport };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Something needs the connection. After a fatal end this is one new attempt. */
  want(): void {
    if (this.#life === 'on') return;
    const was = this.#life;
    this.#life = 'on';
    this.#ended = undefined;
    if (was !== 'frozen') this.#awake = watchSleep(this.#sleeper());
    void this.#takeUp();
    this.#socket?.connection.want();
    this.#changed();
  }

  /** Nothing needs the connection any more. */
  rest(): void {
    if (this.#life !== 'on' && this.#life !== 'frozen') return;
    this.#stop('idle');
    this.#socket?.connection.rest();
    this.#changed();
  }

  close(): void {
    this.#stop('closed');
    this.#ended = 'client_closed';
    this.#options.reach.close();
    this.#socket?.close();
    this.#changed();
  }

  subscribe(subscriber: Subscriber): void {
    if (this.#onSocket || this.#life === 'on') this.#carrier?.subscribe(subscriber);
  }

  /** A run that a message was attached to: a socket brings its frames unasked. */
  follow(subscriber: Subscriber): void {
    if (this.#onSocket) this.#socket?.follow(subscriber);
    else this.subscribe(subscriber);
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    this.#carrier?.resubscribe(subscriber, cursor);
  }

  /** Resuming has failed again and again. */
  giveUp(subscriber: Subscriber): void {
    if (this.#onSocket) this.#socket?.connection.drop(4202);
    else this.#fallback?.subscribe(subscriber);
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#carrier?.unsubscribe(subscriber);
    if (this.#life === 'on') this.#changed();
  }

  /** One that nothing can carry yet is issued again when something can. */
  command(frame: CommandFrame): void {
    if (this.#onSocket) this.#socket?.connection.send(frame);
    else this.#fallback?.command(frame);
  }

  check(): void {
    if (this.#life === 'frozen') this.want();
    if (this.#life !== 'on') return;
    this.#socket?.check();
    this.#fallback?.check();
    void this.#takeUp();
  }

  get #carrier(): SocketTransport | Fallback | undefined {
    return this.#onSocket ? this.#socket : this.#fallback;
  }

  get #transport(): TransportName {
    return this.#onSocket ? 'websocket' : (this.#fallback?.name ?? this.#requests[0]!);
  }

  #sleeper() {
    return {
      wake: () => this.check(),
      freeze: () => this.#freeze(),
      show: (shown: boolean) => {
        this.#shown = shown;
        this.#fallback?.arrange();
      },
    };
  }

  #freeze(): void {
    if (this.#life !== 'on') return;
    this.#life = 'frozen';
    this.#rest();
    this.#socket?.connection.rest();
    this.#fallback?.pause();
    this.#changed();
  }

  #stop(life: 'idle' | 'closed'): void {
    this.#life = life;
    this.#rest();
    this.#awake();
    this.#fallback?.stop();
  }

  #rest(): void {
    this.#choice.stop();
    this.#timers.clear();
  }

  #switchTo(socket: boolean): void {
    this.#fallback?.stop();
    this.#fallback = undefined;
    for (const subscriber of this.#options.subscribers()) {
      this.#socket?.unsubscribe(subscriber);
      subscriber.disconnected();
    }
    this.#onSocket = socket;
    if (socket) {
      for (const subscriber of this.#options.subscribers()) this.subscribe(subscriber);
      this.#options.onCommands();
    } else {
      void this.#takeUp();
    }
    this.#changed();
  }

  /** Where requests are to carry: takes up everything, as soon as the fallback is loaded. */
  async #takeUp(): Promise<void> {
    const isWanted = () => this.#life === 'on' && !this.#onSocket;
    if (!isWanted()) return;
    const { fallback, subscribers, onCommands, now } = this.#options;
    const isThere = fallback.loaded !== undefined || (await this.#loading.load());
    if (!isWanted()) return;
    if (isThere) {
      this.#fallback ??= fallback.loaded!(this.#fallbackUse());
      if (this.#fallback.begin(subscribers())) onCommands();
    } else {
      this.#timers.set('load', (this.#loading.standing.retry_at ?? 0) - now(), () => void this.#takeUp());
    }
    this.#changed();
  }

  /** Loads only when requests get through: some browsers remember for good that a file could not be loaded. */
  async #mayFallBack(): Promise<boolean> {
    return (await this.#options.reach.ask()) && (this.#requests.length === 0 || (await this.#loading.load()));
  }

  #fallbackUse(): FallbackUse {
    return {
      ...this.#options,
      readFrame,
      refusal,
      order: this.#requests,
      reach: () => this.#options.reach.ask(),
      isShown: () => this.#shown,
      onStanding: () => this.#changed(),
      onFatal: (error) => this.#fatal(error),
    };
  }

  #socketOptions(WebSocket: SocketOptions['WebSocket']): SocketOptions {
    return {
      ...this.#options,
      url: `${this.#options.url.replace(/^http/, 'ws')}/ws`,
      WebSocket,
      leastDelay: () => this.#choice.leastDelay(),
      onState: () => {
        if (this.#onSocket) this.#changed();
      },
      onDial: () => this.#choice.dialled(),
      onOpen: () => {
        this.#loading.settle();
        this.#choice.opened();
        if (this.#onSocket) this.#options.onCommands();
      },
      onLost: (loss) => this.#choice.lost(loss),
      // What is said to an attempt in the background is no word on what works: requests are told themselves.
      onFatal: (error) => {
        if (this.#onSocket) this.#fatal(error);
      },
    };
  }

  #fatal(error: ToolstreamError): void {
    this.#stop('closed');
    this.#ended = error.code;
    this.#socket?.connection.rest();
    this.#changed();
    this.#options.onFatal(error);
  }

  #changed(): void {
    const before = this.#state;
    const state = this.#present();
    if (isSameState(before, state)) return;
    this.#state = state;
    const returned = before.reason === 'unreachable' && state.status === 'open' && !this.#onSocket;
    this.#options.onState(state);
    if (!returned) return;
    this.#fallback?.returned();
    this.#choice.returned();
  }

  #present(): ConnectionState {
    const transport = this.#transport;
    const life = this.#life;
    if (life === 'frozen') return { status: 'waiting', transport, reason: 'frozen' };
    if (life !== 'on')
      return { status: life, transport, ...(this.#ended === undefined ? {} : { reason: this.#ended }) };
    const missing = this.#loading.standing;
    const standing = this.#onSocket ? this.#socket!.connection.state : (this.#fallback?.standing ?? missing);
    const unused = this.#socket && !this.#onSocket ? 'websocket_blocked' : undefined;
    const reason =
      standing.status === 'waiting' ? (missing.reason ?? standing.reason) : (this.#fallback?.reason ?? unused);
    return { ...standing, transport, ...(reason === undefined ? {} : { reason }) };
  }
}
