import { type Channel, type CreateOptions, createCable, type Protocol, type ProtocolID } from '@anycable/core';
import * as ActionCable from '@rails/actioncable';
import WebSocket from 'ws';
import { until } from '../harness.ts';
import type { Message } from './page-model.ts';

/** What a browser has and Node lacks: the stock client listens for its page to become visible. */
const browser = globalThis as unknown as Record<string, unknown>;
browser.addEventListener ??= () => {};
browser.removeEventListener ??= () => {};
browser.document ??= { visibilityState: 'visible' };

/** Sockets of both stock clients, so that a test can cut them. */
export class Cuttable extends WebSocket {
  static readonly open = new Set<Cuttable>();
  /** A message has come, and behind it no ping yet: the edge does not know that the page has it. */
  #owesReceipt = false;

  constructor(url: string | URL, protocols?: string | string[]) {
    super(url, protocols);
    Cuttable.open.add(this);
    this.on('message', (data: Buffer) => {
      if (data.toString().startsWith('{"identifier"')) this.#owesReceipt = true;
    });
    this.on('ping', () => {
      this.#owesReceipt = false;
    });
    this.on('close', () => {
      Cuttable.open.delete(this);
      setTimeout(lookForLost, LOOKS_AFTER_MS).unref();
    });
    this.on('error', () => {});
  }

  /** Everything that came is answered for: it will not be sent again. */
  static async receipts(): Promise<void> {
    await until(() => [...Cuttable.open].every((socket) => !socket.#owesReceipt));
  }

  /** As a network that is gone: no close frame. */
  static cutAll(): void {
    for (const socket of Cuttable.open) socket.terminate();
  }
}

ActionCable.adapters.WebSocket = Cuttable;
ActionCable.adapters.logger = { log: () => {} };

/** The stock client looks for a lost connection every 6 to 12 s. Here it looks soon after one was lost, by its own means. */
const LOOKS_AFTER_MS = 50;
const consumers = new Set<ActionCable.Consumer>();
function lookForLost(): void {
  for (const { connection } of consumers) {
    const { monitor, webSocket } = connection;
    if (!monitor.isRunning() || webSocket.readyState !== Cuttable.CLOSED) continue;
    monitor.pingedAt = monitor.disconnectedAt = 1;
    monitor.reconnectIfStale();
  }
}

export interface Watching {
  readonly messages: Message[];
  readonly connected: { reconnected: boolean }[];
  rejected: number;
  disconnected: { willAttemptReconnect: boolean }[];
  readonly subscription: ActionCable.Subscription;
}

export function rails(url: string | (() => string)): ActionCable.Consumer {
  const consumer = ActionCable.createConsumer(url);
  consumers.add(consumer);
  return consumer;
}

/** The same subscription as the document's controller makes. */
export function watchWithRails(consumer: ActionCable.Consumer, params: object): Watching {
  const watching = { messages: [] as Message[], connected: [] as { reconnected: boolean }[], rejected: 0 };
  const seen = Object.assign(watching, { disconnected: [] as { willAttemptReconnect: boolean }[] });
  const subscription = consumer.subscriptions.create(
    { channel: 'ToolExecutionChannel', ...params },
    {
      received: (data: Message) => seen.messages.push(data),
      connected: (how: { reconnected: boolean }) => seen.connected.push(how),
      disconnected: (how: { willAttemptReconnect: boolean }) => seen.disconnected.push(how),
      rejected: () => {
        seen.rejected++;
      },
    },
  );
  return Object.assign(seen, { subscription });
}

/** @anycable/core with its defaults, but for a reconnect that comes soon. */
export function anycable(url: string, options: Record<string, unknown> = {}) {
  return createCable(url, {
    protocol: 'actioncable-v1-ext-json',
    websocketImplementation: Cuttable,
    logLevel: 'error',
    reconnectStrategy: () => 50 + Math.random() * 50,
    ...options,
  } as unknown as Partial<CreateOptions<Protocol | ProtocolID>>);
}

export type Cable = ReturnType<typeof anycable>;
export interface Meta {
  readonly stream: string;
  readonly epoch: string;
  readonly offset: number;
}

export function watchWithAnycable(cable: Cable, params: Record<string, unknown>) {
  const channel: Channel = cable.subscribeTo('ToolExecutionChannel', params as never);
  const messages: Message[] = [];
  const metas: (Meta | undefined)[] = [];
  const infos: string[] = [];
  const closes: unknown[] = [];
  const connects: { reconnect?: boolean; restored?: boolean }[] = [];
  channel.on('message', (message: unknown, meta: unknown) => {
    messages.push(message as Message);
    metas.push(meta as Meta | undefined);
  });
  channel.on('info', (info: { type: string }) => infos.push(info.type));
  channel.on('close', (error: unknown) => closes.push(error));
  channel.on('connect', (how: { reconnect?: boolean; restored?: boolean }) => connects.push(how));
  return { channel, messages, metas, infos, closes, connects };
}
