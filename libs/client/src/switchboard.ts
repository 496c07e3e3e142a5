import type { ToolstreamError } from './errors.ts';
import { Health } from './health.ts';
import type { Http } from './http.ts';
import { type CommandFrame, HttpCommands, type HttpCommandsOptions } from './http-commands.ts';
import { type FeedOptions, overall } from './http-feed.ts';
import { Placement } from './placement.ts';
import { PollingTransport } from './polling.ts';
import { Reach } from './reach.ts';
import { type SocketOptions, SocketTransport } from './socket.ts';
import { SseTransport } from './sse.ts';
import { Timers } from './timers.ts';
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
 * Which transport carries what. The preferred one does, until it turns out to be blocked while the service does answer over
 * HTTP; then the next one does, and better ones are tried in the background until one holds. Whoever is moved goes on at its
 * cursor, so a change of transports loses nothing and is no event of any run.
 */
export class Switchboard {
  readonly #options: SwitchboardOptions;
  readonly #order: readonly TransportName[];
  readonly #socket: SocketTransport | undefined;
  readonly #sse: SseTransport;
  readonly #polling: PollingTransport;
  readonly #commands: HttpCommands;
  readonly #placement: Placement;
  readonly #reach: Reach;
  readonly #timers = new Timers<'slow' | 'hold' | 'probe'>();
  readonly #health = new Health();
  #life: 'idle' | 'on' | 'frozen' | 'closed' = 'idle';
  /** Why the preferred transport is not in use. */
  #reason: string | undefined;
  /** Failed attempts at better transports. */
  #probes = 0;
  /** HTTP got through since the preferred transport last held. */
  #reached = false;
  #state: ConnectionState;
  #ended: string | undefined;
  #awake = () => {};

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    const { WebSocket, transports } = options;
    const order = TRANSPORTS.filter((name) => transports.includes(name) && (name !== 'websocket' || WebSocket));
    const [first] = order;
    if (first === undefined) throw new TypeError('none of the transports that are allowed exists here');
    this.#order = order;
    this.#reach = new Reach(options.http, options.timing.reachMs);
    const feed: FeedOptions = {
      ...options,
      onStanding: () => this.#changed(),
      onFatal: (error) => this.#fatal(error),
      onBlocked: () => void this.#leaveSse(),
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
      this.#planProbe();
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
    this.#timers.clear();
    this.#socket?.connection.rest();
    this.#placement.takeRequests();
    this.#changed();
  }

  #stop(life: 'idle' | 'closed'): void {
    this.#life = life;
    this.#timers.clear();
    this.#awake();
    this.#commands.stop();
    this.#placement.takeRequests();
  }

  #switchTo(name: TransportName, reason: string | undefined): void {
    this.#reason = reason;
    this.#timers.clear();
    this.#placement.switchTo(name);
    if (name === 'websocket') this.#commands.stop();
    this.#options.onCommands();
    this.#planProbe();
    this.#changed();
  }

  /** The next transport, if the one in use is blocked and the service can be reached all the same. */
  #stepDown(from: TransportName): void {
    const next = this.#order[this.#order.indexOf(from) + 1];
    if (this.#active !== from || this.#life !== 'on' || next === undefined) return;
    this.#probes = 0;
    this.#reached = false;
    this.#switchTo(next, `${from}_blocked`);
  }

  #socketOptions(WebSocket: SocketOptions['WebSocket']): SocketOptions {
    const { url, onAck, onRefused } = this.#options;
    return {
      ...this.#options,
      url: `${url.replace(/^http/, 'ws')}/ws`,
      WebSocket,
      onAck,
      onRefused,
      leastDelay: () => (this.#active === 'websocket' ? 0 : this.#probeDelay()),
      onState: () => {
        if (this.#active === 'websocket') this.#changed();
      },
      onDial: () => {
        if (this.#active === 'websocket')
          this.#timers.set('slow', this.#options.timing.slowGreetingMs, () => void this.#greetingIsSlow());
      },
      onOpen: () => this.#opened(),
      onLost: (loss) => this.#socketLost(loss.byService, loss.lastedMs),
      // What is said to an attempt in the background is no word on what works: requests are told themselves.
      onFatal: (error) => {
        if (this.#active === 'websocket') this.#fatal(error);
      },
    };
  }

  #opened(): void {
    this.#timers.stop('slow');
    if (this.#active === 'websocket') {
      this.#options.onCommands();
      return;
    }
    this.#timers.set('hold', this.#options.timing.holdMs, () => {
      this.#health.doubtful();
      this.#switchTo('websocket', undefined);
    });
  }

  #socketLost(byService: boolean, lastedMs: number | undefined): void {
    this.#timers.stop('slow');
    if (this.#active !== 'websocket') {
      this.#timers.stop('hold');
      this.#probes += 1;
      return;
    }
    if (byService || (lastedMs ?? 0) >= this.#options.timing.steadyMs) {
      this.#health.held();
      this.#reached = false;
      this.#probes = 0;
      return;
    }
    this.#health.failed(lastedMs === undefined ? 'unopened' : 'short');
    if (!this.#health.blocked) return;
    if (this.#reached) this.#stepDown('websocket');
    else void this.#verify();
  }

  /** An answer over HTTP is worth one more attempt at once: the service may just have come back. */
  async #verify(): Promise<void> {
    if (!(await this.#reach.ask()) || this.#life !== 'on' || this.#active !== 'websocket') return;
    this.#reached = true;
    this.#socket?.connection.hurry();
  }

  async #greetingIsSlow(): Promise<void> {
    const { connection } = this.#socket!;
    const reachable = await this.#reach.ask();
    if (reachable && connection.state.status === 'connecting') this.#stepDown('websocket');
  }

  async #leaveSse(): Promise<void> {
    if (this.#active === 'sse' && (await this.#reach.ask())) this.#stepDown('sse');
  }

  /** The socket tries itself; streams are tried from here. */
  #planProbe(): void {
    if (this.#active !== 'polling' || !this.#order.includes('sse')) return;
    this.#timers.set('probe', this.#probeDelay(), () => void this.#probeSse());
  }

  async #probeSse(): Promise<void> {
    const [one] = [...this.#options.subscribers()].filter(({ target }) => !('message_id' in target));
    const works = one !== undefined && (await this.#sse.works(one));
    if (this.#life !== 'on' || this.#active !== 'polling') return;
    if (works) {
      this.#switchTo('sse', this.#order[0] === 'websocket' ? 'websocket_blocked' : undefined);
    } else {
      this.#probes += 1;
      this.#planProbe();
    }
  }

  #probeDelay(): number {
    const { timing, random } = this.#options;
    const ceiling = Math.min(timing.probeMaxMs, timing.probeMinMs * 2 ** Math.min(this.#probes, 10));
    return Math.round(ceiling * (0.75 + 0.25 * random()));
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
    if (!returned) return;
    // The service was away for everybody: that says nothing of what was blocked before.
    this.#probes = 0;
    this.#socket?.connection.hurry();
  }

  #present(): ConnectionState {
    const transport = this.#active;
    const life = this.#life;
    if (life === 'frozen') return { status: 'waiting', transport, reason: 'frozen' };
    if (life !== 'on')
      return { status: life, transport, ...(this.#ended === undefined ? {} : { reason: this.#ended }) };
    if (transport === 'websocket') return { ...this.#socket!.connection.state, transport };
    const standing: Standing = overall([...this.#sse.standings(), ...this.#polling.standings()]) ?? { status: 'open' };
    const reason = standing.status === 'waiting' ? standing.reason : this.#reason;
    return { ...standing, transport, ...(reason === undefined ? {} : { reason }) };
  }
}

const same = (a: ConnectionState, b: ConnectionState): boolean =>
  a.status === b.status && a.transport === b.transport && a.reason === b.reason && a.retry_at === b.retry_at;
