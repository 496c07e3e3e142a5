import type { PollingTransport } from './polling.ts';
import type { SocketTransport } from './socket.ts';
import type { SseTransport } from './sse.ts';
import type { Subscriber, Transport, TransportName } from './transport.ts';

export interface PlacementParts {
  /** `undefined` where sockets are not used. */
  readonly socket: SocketTransport | undefined;
  readonly sse: SseTransport;
  readonly polling: PollingTransport;
  /** What a stream has no room for is polled. */
  readonly mayPoll: boolean;
  subscribers(): Iterable<Subscriber>;
}

/** Which transport carries which subscription. Whoever is moved goes on at its cursor. */
export class Placement {
  readonly #parts: PlacementParts;
  readonly #carriers = new Map<string, Transport>();
  #active: TransportName;
  /** Nobody sees the page: other tabs of it may need the connections more. */
  #hidden = false;

  constructor(active: TransportName, parts: PlacementParts) {
    this.#active = active;
    this.#parts = parts;
  }

  get active(): TransportName {
    return this.#active;
  }

  placeAll(): void {
    for (const subscriber of this.#parts.subscribers()) this.place(subscriber);
  }

  place(subscriber: Subscriber): void {
    const carrier = this.#carrierOf(subscriber);
    this.#carriers.set(subscriber.key, carrier);
    carrier.subscribe(subscriber);
  }

  /** A run that a message was attached to: a socket brings its frames unasked. */
  follow(subscriber: Subscriber): void {
    const { socket } = this.#parts;
    if (this.#active !== 'websocket' || !socket) {
      this.place(subscriber);
      return;
    }
    this.#carriers.set(subscriber.key, socket);
    socket.follow(subscriber);
  }

  remove(subscriber: Subscriber): void {
    const carrier = this.#carriers.get(subscriber.key);
    this.#carriers.delete(subscriber.key);
    carrier?.unsubscribe(subscriber);
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    this.#carriers.get(subscriber.key)?.resubscribe(subscriber, cursor);
  }

  /** Resuming has failed again and again. */
  startOver(subscriber: Subscriber): void {
    const carrier = this.#carriers.get(subscriber.key);
    if (carrier === this.#parts.socket) this.#parts.socket?.connection.drop(4202);
    else carrier?.subscribe(subscriber);
  }

  switchTo(name: TransportName): void {
    this.#active = name;
    this.#move([...this.#parts.subscribers()]);
  }

  show(shown: boolean): void {
    this.#hidden = !shown;
  }

  /** Moves those that another transport should carry by now: streams to polling or back. */
  arrange(): void {
    if (this.#active !== 'sse') return;
    for (const subscriber of [...this.#parts.subscribers()]) {
      const carrier = this.#carriers.get(subscriber.key);
      if (carrier === undefined || carrier === this.#carrierOf(subscriber, carrier)) continue;
      this.#move([subscriber]);
    }
  }

  /** Nothing is carried by requests any more. A socket keeps what it carries, to announce it when it is open again. */
  takeRequests(): void {
    const { sse, polling } = this.#parts;
    if (this.#active === 'websocket') return;
    this.#carriers.clear();
    sse.close();
    polling.close();
  }

  #move(subscribers: readonly Subscriber[]): void {
    for (const subscriber of subscribers) {
      this.remove(subscriber);
      subscriber.disconnected();
    }
    for (const subscriber of subscribers) this.place(subscriber);
  }

  /** A stream that is there already needs no more room. */
  #carrierOf({ target }: Subscriber, now?: Transport): Transport {
    const { socket, sse, polling, mayPoll } = this.#parts;
    if (this.#active === 'websocket' && socket) return socket;
    if (this.#active === 'polling' || 'message_id' in target) return polling;
    if (!mayPoll) return sse;
    return this.#hidden || (sse.full && now !== sse) ? polling : sse;
  }
}
