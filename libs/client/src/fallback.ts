import { type CommandFrame, HttpCommands, type HttpCommandsOptions } from './http-commands.ts';
import { type FeedOptions, overall } from './http-feed.ts';
import { PollingTransport } from './polling.ts';
import { probeDelay } from './probe.ts';
import { type ClientTiming, REQUEST_TIMING } from './request-timing.ts';
import { SseTransport } from './sse.ts';
import { Timers } from './timers.ts';
import type { RequestTransportName, Standing, Subscriber } from './transport.ts';

export interface FallbackOptions
  extends Omit<FeedOptions, 'onBlocked' | 'timing'>,
    Pick<HttpCommandsOptions, 'post' | 'isPending'> {
  readonly timing: ClientTiming;
  /** Those that may be used, the preferred one first. */
  readonly order: readonly RequestTransportName[];
  onAck(id: string, cursor: string): void;
  onRefused: HttpCommandsOptions['refused'];
  /** Whether the service answers over HTTP. */
  reach(): Promise<boolean>;
  /** Whether anybody sees the page: if nobody does, other tabs of it may need the connections more. */
  isShown(): boolean;
}

interface Carried {
  readonly subscriber: Subscriber;
  readonly carrier: SseTransport | PollingTransport;
}

/**
 * Frames and commands as plain HTTP requests, for where a socket does not get through: as streams, or by asking again and again.
 * A part of the client that is loaded when it is needed.
 */
export class Fallback {
  readonly #options: FallbackOptions;
  readonly #sse: SseTransport;
  readonly #polling: PollingTransport;
  readonly #commands: HttpCommands;
  readonly #timers = new Timers<'probe'>();
  readonly #carried = new Map<string, Carried>();
  #name: RequestTransportName;
  #on = false;
  /** Streams that were tried in vain. */
  #probes = 0;

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#name = options.order[0]!;
    const timing = { ...REQUEST_TIMING, ...options.timing };
    const feed = { ...options, timing, onBlocked: () => void this.#streamsBlocked() };
    this.#sse = new SseTransport(feed);
    this.#polling = new PollingTransport(feed);
    this.#commands = new HttpCommands({
      ...options,
      refused: options.onRefused,
      answered: ({ id }, cursor) => {
        options.onAck(id, cursor);
        // What was commanded happens now.
        this.#polling.check();
      },
    });
  }

  get name(): RequestTransportName {
    return this.#name;
  }

  /** Why the first of its transports is not in use. */
  get reason(): 'sse_blocked' | undefined {
    return this.#name === this.#options.order[0] ? undefined : 'sse_blocked';
  }

  get standing(): Standing {
    return overall([...this.#sse.standings(), ...this.#polling.standings()]) ?? { status: 'open' };
  }

  /** False: it has begun already. */
  begin(subscribers: Iterable<Subscriber>): boolean {
    if (this.#on) return false;
    this.#on = true;
    for (const subscriber of subscribers) this.subscribe(subscriber);
    this.#lookForBetter();
    return true;
  }

  /** No request for frames is left; commands are still carried. */
  pause(): void {
    this.#on = false;
    this.#timers.clear();
    this.#carried.clear();
    this.#sse.close();
    this.#polling.close();
  }

  stop(): void {
    this.pause();
    this.#commands.stop();
  }

  subscribe(subscriber: Subscriber): void {
    const before = this.#carried.get(subscriber.key)?.carrier;
    const carrier = this.#carrierOf(subscriber, before);
    if (before !== carrier) before?.unsubscribe(subscriber);
    this.#carried.set(subscriber.key, { subscriber, carrier });
    carrier.subscribe(subscriber);
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    this.#carried.get(subscriber.key)?.carrier.resubscribe(subscriber, cursor);
  }

  unsubscribe(subscriber: Subscriber): void {
    this.#carried.get(subscriber.key)?.carrier.unsubscribe(subscriber);
    this.#carried.delete(subscriber.key);
    this.arrange();
  }

  command(frame: CommandFrame): void {
    this.#commands.carry(frame);
  }

  check(): void {
    this.#sse.check();
    this.#polling.check();
  }

  /** The service was away for everybody and is back: that says nothing of what was blocked before. */
  returned(): void {
    this.#probes = 0;
  }

  /** Moves those that the other transport should carry by now. They go on at their cursors. */
  arrange(): void {
    for (const { subscriber, carrier } of [...this.#carried.values()]) {
      if (carrier === this.#carrierOf(subscriber, carrier)) continue;
      subscriber.disconnected();
      this.subscribe(subscriber);
    }
  }

  /** A stream that is there already needs no more room. */
  #carrierOf({ target }: Subscriber, now: Carried['carrier'] | undefined): Carried['carrier'] {
    const { order, isShown } = this.#options;
    if (this.#name === 'polling' || 'message_id' in target) return this.#polling;
    if (!order.includes('polling')) return this.#sse;
    return !isShown() || (this.#sse.full && now !== this.#sse) ? this.#polling : this.#sse;
  }

  #use(name: RequestTransportName): void {
    this.#name = name;
    this.#probes = 0;
    this.arrange();
    this.#lookForBetter();
    this.#options.onStanding();
  }

  async #streamsBlocked(): Promise<void> {
    const { order, reach } = this.#options;
    const mayStepDown = () => this.#on && this.#name === 'sse' && order.includes('polling');
    if (mayStepDown() && (await reach()) && mayStepDown()) this.#use('polling');
  }

  #lookForBetter(): void {
    const { order, timing, random } = this.#options;
    if (this.#name === order[0]) return;
    this.#timers.set('probe', probeDelay(timing, this.#probes, random()), () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const one = [...this.#carried.values()].find(({ subscriber }) => !('message_id' in subscriber.target));
    const works = one !== undefined && (await this.#sse.works(one.subscriber));
    if (!this.#on || this.#name === 'sse') return;
    if (works) {
      this.#use('sse');
    } else {
      this.#probes += 1;
      this.#lookForBetter();
    }
  }
}
