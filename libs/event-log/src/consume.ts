import { setTimeout as sleep } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { createInbox, type NatsConnection } from '@nats-io/nats-core';
import { type DurableOptions, ensureConsumer, recreateConsumer } from './consumer-config.ts';
import type { Delivered } from './delivered.ts';
import { Puller, type Trouble } from './pull.ts';
import { untilAvailable } from './retry.ts';

interface CommonOptions extends DurableOptions {
  /** Told every failure of the handler and of the consumer; work goes on. */
  onError: (error: unknown) => void;
}

/**
 * In stream order, in batches; the whole batch is acknowledged by its last message. The position is the handler's own:
 * the consumer is made anew at `startSequence`, and again behind the last handled message whenever messages may have
 * been lost in transit (an acknowledgement of what came after them would have acknowledged them too).
 */
export interface ProjectionOptions extends CommonOptions {
  style: 'projection';
  startSequence: number;
  batch?: BatchLimits;
  handler: (batch: readonly Delivered[]) => Promise<void>;
}

/**
 * In batches, in stream order as long as nothing is lost in transit (then it comes again after `ackWaitMs`), each
 * message acknowledged once its batch is handled. With `pinned`, one replica works and another takes over.
 */
export interface ReactorOptions extends CommonOptions {
  style: 'reactor';
  batch?: BatchLimits;
  handler: (batch: readonly Delivered[]) => Promise<void>;
}

/** Message by message, up to `concurrency` at once, in no particular order; a failure gives it back with a delay. */
export interface PlainOptions extends CommonOptions {
  style: 'plain';
  concurrency?: number;
  retryDelayMs?: number;
  handler: (message: Delivered) => Promise<void>;
}

export type ConsumeOptions = ProjectionOptions | ReactorOptions | PlainOptions;

export interface BatchLimits {
  /** Default 500. */
  maxMessages?: number;
  /** How long a batch waits to become full. Default 0: what is there goes at once, and batches grow under load. */
  lingerMs?: number;
}

export interface DurableConsumer {
  /** Resolves when it ended: drained, or `displaced` because another process made the consumer anew. */
  readonly ended: Promise<'drained' | 'displaced'>;
  /** Messages of the consumer behind the last one delivered; as of that delivery. */
  readonly pending: number;
  /** Finishes what is being handled and acknowledges it, gives back the rest, stops. */
  drain(): Promise<void>;
}

const READY_TIMEOUT_MS = 15_000;
const MAX_BYTES = 8 << 20;

/** Starts a durable consumer; resolves once it is declared and asked for messages. */
export async function consumeDurable(nc: NatsConnection, options: ConsumeOptions): Promise<DurableConsumer> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const consumer =
    options.style === 'plain' ? new PlainConsumer(nc, jsm, options) : new BatchConsumer(nc, jsm, options);
  await consumer.start();
  return consumer;
}

abstract class ConsumerBase<O extends ConsumeOptions> implements DurableConsumer {
  readonly ended: Promise<'drained' | 'displaced'>;
  pending = 0;
  protected readonly options: O;
  protected readonly puller: Puller;
  protected readonly jsm: JetStreamManager;
  protected stopping = false;
  protected readonly queue: Delivered[] = [];
  readonly #nc: NatsConnection;
  #end: (reason: 'drained' | 'displaced') => void = () => {};
  #stopWatching: () => void = () => {};
  #wake: () => void = () => {};

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: O, maxMessages: number) {
    this.#nc = nc;
    this.jsm = jsm;
    this.options = options;
    this.ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    const { stream, durable, pinned } = options;
    this.puller = new Puller(nc, {
      stream,
      durable,
      maxMessages,
      maxBytes: MAX_BYTES,
      expiresMs: pinned ? Math.min(30_000, pinned.timeoutMs / 2) : 30_000,
      pinned: pinned !== undefined,
      onMessage: (message) => this.#arrived(message),
      onTrouble: (trouble) => void this.trouble(trouble).catch(options.onError),
    });
  }

  async start(): Promise<void> {
    await untilAvailable(`consumer ${this.options.durable}`, READY_TIMEOUT_MS, () => this.declare());
    this.#stopWatching = watchReconnects(this.#nc, () => {
      if (this.stopping) return;
      this.puller.reset();
      void this.trouble('reconnected').catch(this.options.onError);
    });
    this.puller.pull();
    void this.run()
      .catch(this.options.onError)
      .finally(() => this.#finish('drained'));
  }

  async drain(): Promise<void> {
    this.stopping = true;
    this.#wake();
    await this.puller.stop();
    await this.ended;
  }

  protected abstract declare(): Promise<void>;
  protected abstract run(): Promise<void>;
  protected abstract trouble(trouble: Trouble): Promise<void>;

  /** Another process owns the consumer now: handle nothing more, acknowledge nothing more. */
  protected async displaced(): Promise<void> {
    this.stopping = true;
    this.queue.length = 0;
    this.#wake();
    await this.puller.stop();
    this.#finish('displaced');
  }

  protected arrivals(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
      if (this.queue.length > 0 || this.stopping) resolve();
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

  protected accept(_message: Delivered): boolean {
    return true;
  }

  #finish(reason: 'drained' | 'displaced'): void {
    this.#stopWatching();
    this.#end(reason);
  }
}

class BatchConsumer extends ConsumerBase<ProjectionOptions | ReactorOptions> {
  readonly #owner = createInbox();
  readonly #maxMessages: number;
  #expectedDelivery = 0;
  #lastSeen = 0;
  #lastHandled = 0;
  #repairing: Promise<void> | undefined;

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: ProjectionOptions | ReactorOptions) {
    const maxMessages = options.batch?.maxMessages ?? 500;
    super(nc, jsm, options, maxMessages * 2);
    this.#maxMessages = maxMessages;
    if (options.style === 'projection') this.#lastHandled = options.startSequence - 1;
    this.#lastSeen = this.#lastHandled;
  }

  protected async declare(): Promise<void> {
    const { options } = this;
    if (options.style === 'reactor') return ensureConsumer(this.jsm, options, 'explicit');
    await recreateConsumer(this.jsm, options, this.#owner, { onlyIfOwned: false });
  }

  /** A projection takes nothing twice and nothing behind a hole. */
  protected override accept(message: Delivered): boolean {
    if (this.options.style === 'reactor') return true;
    if (this.#repairing || message.seq <= this.#lastSeen) return false;
    if (message.deliverySeq !== this.#expectedDelivery + 1) {
      void this.trouble('silence').catch(this.options.onError);
      return false;
    }
    this.#expectedDelivery = message.deliverySeq;
    this.#lastSeen = message.seq;
    return true;
  }

  protected async trouble(trouble: Trouble): Promise<void> {
    if (this.stopping) return;
    if (this.options.style === 'projection') {
      this.#repairing ??= this.#restart().finally(() => {
        this.#repairing = undefined;
        this.puller.reset();
      });
      return this.#repairing;
    }
    if (trouble === 'no_consumer' || trouble === 'deleted') {
      await untilAvailable(`consumer ${this.options.durable}`, READY_TIMEOUT_MS, () => this.declare());
      this.puller.reset();
    }
  }

  /** What is queued stays: it came without a hole. The consumer begins behind it. */
  async #restart(): Promise<void> {
    const startSequence = this.#lastSeen + 1;
    const options = { ...this.options, startSequence };
    const mine = await untilAvailable(`consumer ${options.durable}`, READY_TIMEOUT_MS, () =>
      recreateConsumer(this.jsm, options, this.#owner, { onlyIfOwned: true }),
    );
    if (!mine) return this.displaced();
    this.#expectedDelivery = 0;
  }

  protected async run(): Promise<void> {
    const lingerMs = this.options.batch?.lingerMs ?? 0;
    while (!this.stopping) {
      await this.arrivals();
      if (lingerMs > 0 && this.queue.length < this.#maxMessages && !this.stopping) await sleep(lingerMs);
      const batch = this.queue.splice(0, this.#maxMessages);
      if (batch.length === 0) continue;
      if (await this.#handle(batch)) this.#acknowledge(batch);
      this.puller.pull(batch.length);
    }
    if (this.options.style === 'reactor') for (const message of this.queue) message.nak();
  }

  #acknowledge(batch: readonly Delivered[]): void {
    const last = batch.at(-1);
    this.#lastHandled = last?.seq ?? this.#lastHandled;
    if (this.options.style === 'projection') last?.ack();
    else for (const message of batch) message.ack();
  }

  /** Order is kept by trying the same batch again until it works; false when stopped before it did. */
  async #handle(batch: readonly Delivered[]): Promise<boolean> {
    const alive = setInterval(
      () => {
        for (const message of batch) message.working();
        for (const message of this.queue) message.working();
      },
      (this.options.ackWaitMs ?? 30_000) / 3,
    );
    try {
      for (let pause = 100; ; pause = Math.min(5_000, pause * 2)) {
        try {
          await this.options.handler(batch);
          return true;
        } catch (error) {
          this.options.onError(error);
        }
        if (this.stopping) return false;
        await sleep(pause);
        if (this.stopping) return false;
      }
    } finally {
      clearInterval(alive);
    }
  }
}

class PlainConsumer extends ConsumerBase<PlainOptions> {
  readonly #concurrency: number;
  readonly #working = new Set<Promise<void>>();

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: PlainOptions) {
    const concurrency = options.concurrency ?? 16;
    super(nc, jsm, options, concurrency * 2);
    this.#concurrency = concurrency;
  }

  protected declare(): Promise<void> {
    return ensureConsumer(this.jsm, this.options, 'explicit');
  }

  protected async trouble(trouble: Trouble): Promise<void> {
    if (this.stopping || trouble === 'reconnected' || trouble === 'silence') return;
    await untilAvailable(`consumer ${this.options.durable}`, READY_TIMEOUT_MS, () => this.declare());
    this.puller.reset();
  }

  protected async run(): Promise<void> {
    while (!this.stopping) {
      await this.arrivals();
      while (this.queue.length > 0 && this.#working.size < this.#concurrency && !this.stopping) {
        const message = this.queue.shift() as Delivered;
        const work: Promise<void> = this.#handle(message).finally(() => {
          this.#working.delete(work);
          this.puller.pull(1);
        });
        this.#working.add(work);
      }
      if (this.#working.size >= this.#concurrency) await Promise.race(this.#working);
    }
    await Promise.all(this.#working);
    for (const message of this.queue) message.nak();
  }

  async #handle(message: Delivered): Promise<void> {
    const alive = setInterval(() => message.working(), (this.options.ackWaitMs ?? 30_000) / 3);
    try {
      await this.options.handler(message);
      message.ack();
    } catch (error) {
      this.options.onError(error);
      message.nak(this.options.retryDelayMs ?? 1_000);
    } finally {
      clearInterval(alive);
    }
  }
}

function watchReconnects(nc: NatsConnection, onReconnect: () => void): () => void {
  const statuses = nc.status();
  let watching = true;
  void (async () => {
    for await (const status of statuses) {
      if (!watching) return;
      if (status.type === 'reconnect') onReconnect();
    }
  })();
  return () => {
    watching = false;
  };
}
