import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { PlainOptions } from './consume-options.ts';
import { ensureConsumer } from './consumer-config.ts';
import type { Delivered } from './delivered.ts';
import { DurableBase } from './durable-base.ts';
import type { Trouble } from './pull.ts';

const CONCURRENCY = 16;
const RETRY_DELAY_MS = 1_000;

/** The style for messages that have nothing to do with each other: timers that fired, advisories. */
export class PlainConsumer extends DurableBase<PlainOptions> {
  readonly #concurrency: number;
  readonly #working = new Set<Promise<void>>();

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: PlainOptions) {
    const concurrency = options.concurrency ?? CONCURRENCY;
    super(nc, jsm, options, concurrency * 2);
    this.#concurrency = concurrency;
  }

  protected declareConsumer(): Promise<void> {
    return ensureConsumer(this.jsm, this.options, 'explicit');
  }

  protected async repair(trouble: Trouble): Promise<void> {
    if (trouble === 'no_consumer' || trouble === 'deleted') await this.declared(() => this.declareConsumer());
  }

  protected async run(): Promise<void> {
    while (!this.stopping) {
      await this.arrivals();
      while (this.queue.length > 0 && this.#working.size < this.#concurrency && !this.stopping) {
        this.#begin(this.queue.shift() as Delivered);
      }
      if (this.#working.size >= this.#concurrency) await Promise.race(this.#working);
    }
    await Promise.all(this.#working);
  }

  protected giveBack(): void {
    for (const message of this.queue) message.nak();
  }

  #begin(message: Delivered): void {
    const work: Promise<void> = this.#handle(message).finally(() => {
      this.#working.delete(work);
      this.puller.pull(1);
    });
    this.#working.add(work);
  }

  async #handle(message: Delivered): Promise<void> {
    const alive = setInterval(() => message.working(), (this.options.ackWaitMs ?? 30_000) / 3);
    try {
      await this.options.handler(message);
      message.ack();
    } catch (error) {
      this.options.onError(error);
      message.nak(this.options.retryDelayMs ?? RETRY_DELAY_MS);
    } finally {
      clearInterval(alive);
    }
  }
}
