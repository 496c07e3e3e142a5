import { ApiError, type ToolstreamError } from './errors.ts';
import { Health } from './health.ts';
import type { Http } from './http.ts';
import { type CommandFrame, HttpCommands, type HttpCommandsOptions } from './http-commands.ts';
import { type FeedOptions, overall } from './http-feed.ts';
import { PollingTransport } from './polling.ts';
import { type SocketOptions, SocketTransport } from './socket.ts';
import { SseTransport } from './sse.ts';
import { Timers } from './timers.ts';
import type { Standing, Subscriber, Transport, TransportName } from './transport.ts';
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
  /** Those that may be used, the preferred first. */
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
  readonly #carriers = new Map<string, Transport>();
  readonly #timers = new Timers<'slow' | 'hold' | 'probe'>();
  readonly #health = new Health();
  #life: 'idle' | 'on' | 'frozen' | 'closed' = 'idle';
  #active: TransportName;
  /** Why the preferred transport is not in use. */
  #reason: string | undefined;
  /** Failed attempts at better transports. */
  #probes = 0;
  /** HTTP got through since the preferred transport last held. */
  #reached = false;
  #verifying: Promise<boolean> | undefined;
  #state: ConnectionState;
  #ended: string | undefined;
  /** Nobody sees the page: other tabs of it may need the connections more. */
  #hidden = false;
  #awake = () => {};

  constructor(options: SwitchboardOptions) {
    this.#options = options;
    const { WebSocket, transports } = options;
    const order = transports.filter((name) => name !== 'websocket' || WebSocket !== undefined);
    if (order.length === 0) throw new TypeError('no transport that exists here is allowed');
    this.#order = order;
    this.#active = order[0]!;
    const feed: FeedOptions = {
      ...options,
      onStanding: () => this.#changed(),
      onFatal: (error) => this.#fatal(error),
      onBlocked: () => void this.#leaveSse(),
    };
    this.#sse = new SseTransport(feed);
    this.#polling = new PollingTransport(feed);
    this.#socket = order.includes('websocket') ? new SocketTransport(this.#socketOptions(WebSocket!)) : undefined;
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
    this.#state = { status: 'idle', transport: this.#active };
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
    if (was !== 'frozen')
      this.#awake = watchSleep({
        wake: () => this.check(),
        freeze: () => this.#freeze(),
        show: (shown) => this.#show(shown),
      });
    if (this.#active !== 'websocket') {
      for (const subscriber of this.#options.subscribers()) this.#place(subscriber);
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
    if (this.#active === 'websocket' || this.#life === 'on') this.#place(subscriber);
  }

  /** A run that a message was attached to: a socket brings its frames unasked. */
  follow(subscriber: Subscriber): void {
    if (this.#active !== 'websocket') {
      this.subscribe(subscriber);
      return;
    }
    this.#carriers.set(subscriber.key, this.#socket!);
    this.#socket!.follow(subscriber);
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    this.#carriers.get(subscriber.key)?.resubscribe(subscriber, cursor);
  }

  unsubscribe(subscriber: Subscriber): void {
    const carrier = this.#carriers.get(subscriber.key);
    this.#carriers.delete(subscriber.key);
    carrier?.unsubscribe(subscriber);
    if (carrier === this.#sse) this.#fill();
    if (this.#life === 'on') this.#changed();
  }

  /** Starts over, because resuming has failed again and again. */
  giveUp(subscriber: Subscriber): void {
    const carrier = this.#carriers.get(subscriber.key);
    if (carrier === this.#socket) this.#socket?.connection.drop(4202);
    else carrier?.subscribe(subscriber);
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

  /** A hidden tab keeps its socket, and gives streams back: all tabs of a page share the few connections there are. */
  #show(shown: boolean): void {
    this.#hidden = !shown;
    if (this.#life !== 'on' || this.#active !== 'sse' || !this.#order.includes('polling')) return;
    const misplaced = [...this.#options.subscribers()].filter((subscriber) => {
      const carrier = this.#carriers.get(subscriber.key);
      return carrier !== undefined && carrier !== this.#carrierOf(subscriber);
    });
    this.#move(misplaced);
  }

  #freeze(): void {
    if (this.#life !== 'on') return;
    this.#life = 'frozen';
    this.#timers.clear();
    this.#socket?.connection.rest();
    if (this.#active !== 'websocket') this.#takeAll();
    this.#changed();
  }

  #stop(life: 'idle' | 'closed'): void {
    this.#life = life;
    this.#timers.clear();
    this.#awake();
    this.#commands.stop();
    if (this.#active !== 'websocket') this.#takeAll();
  }

  #takeAll(): void {
    this.#carriers.clear();
    this.#sse.close();
    this.#polling.close();
  }

  #place(subscriber: Subscriber): void {
    const carrier = this.#carrierOf(subscriber);
    this.#carriers.set(subscriber.key, carrier);
    carrier.subscribe(subscriber);
  }

  #carrierOf({ target }: Subscriber): Transport {
    if (this.#active === 'websocket') return this.#socket!;
    if (this.#active === 'polling' || 'message_id' in target) return this.#polling;
    const crowded = this.#hidden || this.#sse.full;
    return crowded && this.#order.includes('polling') ? this.#polling : this.#sse;
  }

  /** A stream has ended: one of those that had to poll takes its place. */
  #fill(): void {
    if (this.#active !== 'sse' || this.#life !== 'on' || this.#hidden || this.#sse.full) return;
    for (const subscriber of this.#options.subscribers()) {
      if (this.#carriers.get(subscriber.key) !== this.#polling || 'message_id' in subscriber.target) continue;
      this.#move([subscriber]);
      return;
    }
  }

  /** Each goes on at its cursor, wherever it is carried now. */
  #move(subscribers: readonly Subscriber[]): void {
    for (const subscriber of subscribers) {
      this.#carriers.get(subscriber.key)?.unsubscribe(subscriber);
      this.#carriers.delete(subscriber.key);
      subscriber.disconnected();
    }
    for (const subscriber of subscribers) this.#place(subscriber);
  }

  #switchTo(name: TransportName, reason: string | undefined): void {
    this.#active = name;
    this.#reason = reason;
    this.#timers.clear();
    this.#move([...this.#options.subscribers()]);
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
      onFatal: (error) => this.#fatal(error),
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
    if (!(await this.#reachable()) || this.#life !== 'on' || this.#active !== 'websocket') return;
    this.#reached = true;
    this.#socket?.connection.hurry();
  }

  async #greetingIsSlow(): Promise<void> {
    const { connection } = this.#socket!;
    const reachable = await this.#reachable();
    if (reachable && connection.state.status === 'connecting') this.#stepDown('websocket');
  }

  async #leaveSse(): Promise<void> {
    if (this.#active === 'sse' && (await this.#reachable())) this.#stepDown('sse');
  }

  /** Whether anything at all is answered over HTTP, by the service or by what stands for it. */
  #reachable(): Promise<boolean> {
    const { http, timing } = this.#options;
    this.#verifying ??= http
      .attempt({ method: 'GET', path: '/healthz', timeoutMs: timing.reachMs })
      .then(
        async (response) => {
          await response.body?.cancel();
          return true;
        },
        // Even a proxy's "not found" shows that requests get through; a gateway's trouble shows that they do not.
        (error: unknown) => error instanceof ApiError && error.status < 500,
      )
      .finally(() => {
        this.#verifying = undefined;
      });
    return this.#verifying;
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
