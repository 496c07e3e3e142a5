import type { ClientFrame, ServerFrame } from '@toolstream/proto-events';
import { Connection, type ConnectionOptions, type SocketState } from './connection.ts';
import type { ToolstreamError } from './errors.ts';
import { refusal } from './refusal.ts';
import { keyOf, type Subscriber, type Transport } from './transport.ts';

export interface SocketOptions
  extends Omit<ConnectionOptions, 'hello' | 'positions' | 'onState' | 'onOpen' | 'onFrame'> {
  onState(state: SocketState): void;
  onOpen(): void;
  onAck(id: string, cursor: string): void;
  /** A command was refused. */
  onRefused(id: string, error: ToolstreamError): void;
}

/** The hello frame stays well below the size that the service accepts; further subscriptions follow the greeting. */
const SUBSCRIPTIONS_IN_HELLO = 64;

/** One WebSocket for all subscriptions and commands. Those without a cursor of their own come last: see `follow`. */
export class SocketTransport implements Transport {
  readonly name = 'websocket';
  readonly connection: Connection;
  readonly #members = new Map<string, Subscriber>();
  /** Those that the service has been told of on this connection. */
  #announced = new Set<string>();

  constructor(options: SocketOptions) {
    this.connection = new Connection({
      ...options,
      hello: (token) => this.#hello(token),
      positions: () => this.#positions(),
      onState: (state) => {
        if (state.status !== 'open') for (const member of this.#members.values()) member.disconnected();
        options.onState(state);
      },
      onOpen: () => {
        for (const member of this.#members.values()) if (!this.#announced.has(member.key)) this.#announce(member);
        options.onOpen();
      },
      onFrame: (frame) => this.#received(frame, options),
    });
  }

  subscribe(subscriber: Subscriber): void {
    this.#members.set(subscriber.key, subscriber);
    if (this.connection.state.status === 'open') this.#announce(subscriber);
  }

  /** Its frames come without being asked for: the service attached it to a message. */
  follow(subscriber: Subscriber): void {
    this.#members.set(subscriber.key, subscriber);
    this.#announced.add(subscriber.key);
    subscriber.resume();
    subscriber.asked();
  }

  resubscribe(subscriber: Subscriber, cursor: string | undefined): void {
    if (this.connection.send({ type: 'subscribe', ...wish(subscriber, cursor) })) subscriber.asked();
  }

  unsubscribe({ key, target }: Subscriber): void {
    this.#members.delete(key);
    if (this.#announced.delete(key)) this.connection.send({ type: 'unsubscribe', ...target });
  }

  check(): void {
    this.connection.check();
  }

  close(): void {
    this.#members.clear();
    this.connection.close();
  }

  #announce(subscriber: Subscriber): void {
    this.#announced.add(subscriber.key);
    this.resubscribe(subscriber, subscriber.resume());
  }

  #hello(token: string): ClientFrame {
    const members = [...this.#members.values()];
    // A run that the service knows of before its message is not sent twice.
    const ordered = [...members.filter((m) => !isMessage(m)), ...members.filter(isMessage)];
    const first = ordered.slice(0, SUBSCRIPTIONS_IN_HELLO);
    this.#announced = new Set(first.map(({ key }) => key));
    const subscribe = first.map((subscriber) => {
      const cursor = subscriber.resume();
      subscriber.asked();
      return wish(subscriber, cursor);
    });
    return { type: 'hello', token, subscribe };
  }

  /** What has been applied, not merely received: the service counts on it. */
  #positions(): Record<string, string> {
    const positions: Record<string, string> = {};
    for (const { target, position } of this.#members.values()) {
      if (position !== undefined && !('message_id' in target))
        positions['run' in target ? target.run : target.app] = position;
    }
    return positions;
  }

  #received(frame: ServerFrame, options: SocketOptions): void {
    switch (frame.type) {
      case 'snapshot':
      case 'event':
      case 'caught_up':
      case 'end':
      case 'waiting':
      case 'attached':
        this.#members.get(keyOf(frame))?.receive(frame);
        return;
      case 'ack':
        options.onAck(frame.id, frame.cursor);
        return;
      case 'error': {
        const error = refusal(frame);
        if (frame.id !== undefined) options.onRefused(frame.id, error);
        else this.#members.get(keyOf(frame))?.refused(error);
      }
    }
  }
}

const isMessage = ({ target }: Subscriber): boolean => 'message_id' in target;

const wish = ({ target }: Subscriber, cursor: string | undefined) => ({ ...target, cursor });
