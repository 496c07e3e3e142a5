import { Choice } from './choice.ts';
import type { ToolstreamError } from './errors.ts';
import type { Http } from './http.ts';
import { type CommandFrame, HttpCommands, type HttpCommandsOptions } from './http-commands.ts';
import { type FeedOptions, overall } from './http-feed.ts';
import { Placement } from './placement.ts';
import { PollingTransport } from './polling.ts';
import { Reach } from './reach.ts';
import { type SocketOptions, SocketTransport } from './socket.ts';
import { SseTransport } from './sse.ts';
import { type Standing, type Subscriber, TRANSPORTS, type TransportName } from './transport.ts';
import { watchSleep } from './wake.ts';

/**
 * The connection, which says nothing of any run: a run goes on while nobody is connected. `open` on any transport means that
 * frames arrive.
 */
export interface ConnectionState {
  readonly status: 'idle' | 'connecting' | 'open' | 'waiting' | 'closed';
  /** What carries frames now, or is about to. */
  readonly transport: TransportName;
  /** Why it is not open (`drain`, `unreachable`, `frozen`, …), or not on the first transport (`websocket_blocked`, `sse_blocked`). */
  readonly reason?: string;
  /** When the next attempt is due, in milliseconds since the epoch. */
  readonly retry_at?: number;
}

export interface SwitchboardOptions
  extends Pick<SocketOptions, 'tokens' | 'now' | 'random' | 'timing' | 'onAck' | 'onRefused'>,
    Pick<HttpCommandsOptions, 'post' | 'isPending'> {
  readonly url: string;
  readonly http: Http;
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
 * Everything that carries frames and commands, as one connection. Whoever is moved to another transport goes on at its
 * cursor, so a change of transports loses nothing and is no event of any run.
 */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #socket: SocketTransport | undefined;
  readonly #sse: SseTransport;
  readonly #polling: PollingTransport;
  readonly #commands: HttpCommands;
  readonly #placement: Placement;
  readonly #choice: Choice;
  #life: 'idle' | 'on' | 'frozen' | 'closed' = 'idle';
  #state: ConnectionState;
  #ended: string | undefined;
  #awake = () => {};

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    const { WebSocket, transports } = options;
    const order = TRANSPORTS.filter((name) => transports.includes(name) && (name !== 'websocket' || WebSocket));
    const [first] = order;
    if (first === undefined) throw new TypeError('none of the transports that are allowed exists here');
    const feed: FeedOptions = {
      ...options,
      onStanding: () => this.#changed(),
      onFatal: (error) => this.#fatal(error),
      onBlocked: () => void this.#choice.streamsBlocked(),
    };
    this.#sse = new SseTransport(feed);
    this.#polling = new PollingTransport(feed);
    this.#socket = order.includes('websocket') ? new SocketTransport(this.#socketOptions(WebSocket!)) : undefined;
    this.#placement = new Placement(first, {
      socket: this.#socket,
      sse: this.#sse,
      polling: this.#polling,
      mayPoll: order.includes('polling'),
      subscribers: () => options.subscribers(),
    });
    this.#choice = new Choice({
      order,
      reach: new Reach(options.http, options.timing.reachMs),
      timing: options.timing,
      random: options.random,
      active: () => this.#active,
      isOn: () => this.#life === 'on',
      isDialling: () => this.#socket?.connection.state.status === 'connecting',
      hurry: () => this.#socket?.connection.hurry(),
      tryStream: () => this.#tryStream(),
      onChoice: (name) => this.#switchTo(name),
    });
    this.#commands = new HttpCommands({
      post: options.post,
      random: options.random,
      isPending: options.isPending,
      refused: options.onRefused,
      answered: ({ id }, cursor) => {
        options.onAck(id, cursor);
        // What was commanded happens now.
        this.#polling.check();
      },
    });
    this.#state = { status: 'idle', transport: first };
  }

  get state(): ConnectionState {
    return this.#state;
  }

  get #active(): TransportName {
    return this.#placement.active;
  }

  /** Something needs the connection. After a fatal end this is one new attempt. */
  want(): void {
    if (this.#life === 'on') return;
    const was = this.#life;
    this.#life = 'on';
    this.#ended = undefined;
    if (was !== 'frozen')
      this.#awake = watchSleep({
        wake: () => this.check(),
        freeze: () => this.#freeze(),
        show: (shown) => {
          this.#placement.show(shown);
          if (this.#life === 'on') this.#placement.arrange();
        },
      });
    if (this.#active !== 'websocket') {
      this.#placement.placeAll();
      this.#options.onCommands();
      this.#choice.lookForBetter();
    }
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
    this.#socket?.close();
    this.#changed();
  }

  subscribe(subscriber: Subscriber): void {
    if (this.#active === 'websocket' || this.#life === 'on') this.#placement.place(subscriber);
  }

  follow(subscriber: Subscriber): void {
    if (this.#active === 'websocket' || this.#life === 'on') this.#placement.follow(subscriber);
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    this.#placement.resubscribe(subscriber, cursor);
  }

  giveUp(subscriber: Subscriber): void {
    this.#placement.startOver(subscriber);
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#placement.remove(subscriber);
    if (this.#life !== 'on') return;
    this.#placement.arrange();
    this.#changed();
  }

  command(frame: CommandFrame): void {
    if (this.#active === 'websocket') this.#socket!.connection.send(frame);
    else this.#commands.carry(frame);
  }

  check(): void {
    if (this.#life === 'frozen') this.want();
    if (this.#life !== 'on') return;
    for (const transport of [this.#socket, this.#sse, this.#polling]) transport?.check();
  }

  #freeze(): void {
    if (this.#life !== 'on') return;
    this.#life = 'frozen';
    this.#choice.stop();
    this.#socket?.connection.rest();
    this.#placement.takeRequests();
    this.#changed();
  }

  #stop(life: 'idle' | 'closed'): void {
    this.#life = life;
    this.#choice.stop();
    this.#awake();
    this.#commands.stop();
    this.#placement.takeRequests();
  }

  #switchTo(name: TransportName): void {
    this.#placement.switchTo(name);
    if (name === 'websocket') this.#commands.stop();
    this.#options.onCommands();
    this.#choice.lookForBetter();
    this.#changed();
  }

  async #tryStream(): Promise<boolean> {
    const [one] = [...this.#options.subscribers()].filter(({ target }) => !('message_id' in target));
    return one !== undefined && (await this.#sse.works(one));
  }

  #socketOptions(WebSocket: SocketOptions['WebSocket']): SocketOptions {
    const { url, onAck, onRefused } = this.#options;
    return {
      ...this.#options,
      url: `${url.replace(/^http/, 'ws')}/ws`,
      WebSocket,
      onAck,
      onRefused,
      leastDelay: () => this.#choice.leastDelay(),
      onState: () => {
        if (this.#active === 'websocket') this.#changed();
      },
      onDial: () => this.#choice.dialled(),
      onOpen: () => {
        this.#choice.opened();
        if (this.#active === 'websocket') this.#options.onCommands();
      },
      onLost: (loss) => this.#choice.lost(loss),
      // What is said to an attempt in the background is no word on what works: requests are told themselves.
      onFatal: (error) => {
        if (this.#active === 'websocket') this.#fatal(error);
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
    if (same(before, state)) return;
    this.#state = state;
    const returned = before.reason === 'unreachable' && state.status === 'open' && this.#active !== 'websocket';
    this.#options.onState(state);
    if (returned) this.#choice.returned();
  }

  #present(): ConnectionState {
    const transport = this.#active;
    const life = this.#life;
    if (life === 'frozen') return { status: 'waiting', transport, reason: 'frozen' };
    if (life !== 'on')
      return { status: life, transport, ...(this.#ended === undefined ? {} : { reason: this.#ended }) };
    if (transport === 'websocket') return { ...this.#socket!.connection.state, transport };
    const standing: Standing = overall([...this.#sse.standings(), ...this.#polling.standings()]) ?? { status: 'open' };
    const reason = standing.status === 'waiting' ? standing.reason : this.#choice.reason;
    return { ...standing, transport, ...(reason === undefined ? {} : { reason }) };
  }
}

const same = (a: ConnectionState, b: ConnectionState): boolean =>
  a.status === b.status && a.transport === b.transport && a.reason === b.reason && a.retry_at === b.retry_at;
