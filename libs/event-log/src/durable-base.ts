import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { ConsumeOptions, DurableConsumer } from './consume-options.ts';
import type { Delivered } from './delivered.ts';
import { Puller, type Trouble } from './pull.ts';
import { untilAvailable } from './retry.ts';

const READY_TIMEOUT_MS = 15_000;
const MAX_BYTES = 8 << 20;
const REPAIR_PAUSE_MS = 1_000;

/** What all styles share: asking for messages, the queue between arrival and work, repair, the end. */
export abstract class DurableBase<O extends ConsumeOptions> implements DurableConsumer {
  readonly ended: Promise<'drained' | 'displaced'>;
  pending = 0;
  protected readonly options: O;
  protected readonly puller: Puller;
  protected readonly jsm: JetStreamManager;
  protected readonly queue: Delivered[] = [];
  protected stopping = false;
  protected repairing: Promise<void> | undefined;
  readonly #nc: NatsConnection;
  #reason: 'drained' | 'displaced' = 'drained';
  #end: (reason: 'drained' | 'displaced') => void = () => {};
  #wake: () => void = () => {};

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: O, maxMessages: number) {
    this.#nc = nc;
    this.jsm = jsm;
    this.options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const { stream, durable, pinned, onError } = options;
    this.puller = new Puller(nc, {
      stream,
      durable,
      maxMessages,
      maxBytes: MAX_BYTES,
      expiresMs: pinned ? Math.min(30_000, pinned.timeoutMs / 2) : 30_000,
      pinned: pinned !== undefined,
      onMessage: (message) => this.#arrived(message),
      onTrouble: (trouble) => this.trouble(trouble),
      onError,
    });
  }

  async start(): Promise<void> {
    await this.declared(() => this.declareConsumer());
    void this.#watchReconnects();
    this.puller.pull();
    void this.run()
      .catch(this.options.onError)
      .then(() => this.puller.stop())
      .then(() => this.giveBack())
      .finally(() => this.#end(this.#reason));
  }

  async drain(): Promise<void> {
    this.stopping = true;
    this.#wake();
    await this.ended;
  }

  /** Makes the consumer at the start. */
  protected abstract declareConsumer(): Promise<void>;
  /** Works until `stopping`. */
  protected abstract run(): Promise<void>;
  /** Puts right what a trouble may have broken. */
  protected abstract repair(trouble: Trouble): Promise<void>;
  /** After the end: what arrived and was not worked on. */
  protected abstract giveBack(): void;

  /** False: the message is dropped. */
  protected accept(_message: Delivered): boolean {
    return true;
  }

  /** One repair at a time; asks for messages anew when it is done. */
  protected trouble(trouble: Trouble): void {
    if (this.stopping || this.repairing !== undefined) return;
    this.repairing = this.repair(trouble)
      .catch(async (error: unknown) => {
        this.options.onError(error);
        await sleep(REPAIR_PAUSE_MS);
      })
      .finally(() => {
        this.repairing = undefined;
        this.puller.reset();
      });
  }

  protected declared<T>(work: () => Promise<T>): Promise<T> {
    return untilAvailable(`consumer ${this.options.durable}`, READY_TIMEOUT_MS, work);
  }

  /** Another process owns the consumer now: nothing more is handled. */
  protected displaced(): void {
    this.#reason = 'displaced';
    this.stopping = true;
    this.queue.length = 0;
    this.#wake();
  }

  protected arrivals(): Promise<void> {
    if (this.queue.length > 0 || this.stopping) return Promise.resolve();
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #arrived(message: Delivered): void {
    this.pending = message.pending;
    if (this.accept(message)) {
      this.queue.push(message);
      this.#wake();
    } else {
      this.puller.pull(1);
    }
  }

  async #watchReconnects(): Promise<void> {
    const statuses = this.#nc.status();
    void this.ended.then(() => {
      (statuses as AsyncIterable<unknown> & { stop?: () => void }).stop?.();
    });
    for await (const status of statuses) {
      if (status.type !== 'reconnect' || this.stopping) continue;
      this.puller.reset();
      this.trouble('reconnected');
    }
  }
}
