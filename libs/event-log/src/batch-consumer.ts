import { setTimeout as sleep } from 'node:timers/promises';
import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { nuid } from '@nats-io/nats-core';
import type { ProjectionOptions, ReactorOptions } from './consume-options.ts';
import { ensureConsumer, recreateConsumer } from './consumer-config.ts';
import type { Delivered } from './delivered.ts';
import { DurableBase } from './durable-base.ts';
import type { Trouble } from './pull.ts';

const BATCH_MESSAGES = 500;
const RETRY_MS = { first: 100, most: 5_000 };

/** The styles that work through a stream in its order, batch after batch. */
export class BatchConsumer extends DurableBase<ProjectionOptions | ReactorOptions> {
  readonly #owner = nuid.next();
  readonly #maxMessages: number;
  #lastDelivery = 0;
  #lastSeen = 0;

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: ProjectionOptions | ReactorOptions) {
    const maxMessages = options.batch?.maxMessages ?? BATCH_MESSAGES;
    // While one batch is worked on, the next one arrives.
    super(nc, jsm, options, maxMessages * 2);
    this.#maxMessages = maxMessages;
    if (options.style === 'projection') this.#lastSeen = options.startSequence - 1;
  }

  protected async declareConsumer(): Promise<void> {
    const { options } = this;
    if (options.style === 'reactor') await ensureConsumer(this.jsm, options, 'explicit');
    else await recreateConsumer(this.jsm, options, this.#owner, { onlyIfOwned: false });
  }

  /** A projection takes nothing twice and nothing behind a hole. */
  protected override accept(message: Delivered): boolean {
    if (this.options.style === 'reactor') return true;
    if (this.repairing !== undefined || this.stopping) return false;
    if (message.deliverySeq !== this.#lastDelivery + 1) {
      this.trouble('silence');
      return false;
    }
    this.#lastDelivery = message.deliverySeq;
    if (message.seq <= this.#lastSeen) return false;
    this.#lastSeen = message.seq;
    return true;
  }

  protected async repair(trouble: Trouble): Promise<void> {
    const { options } = this;
    if (options.style === 'reactor') {
      if (trouble === 'no_consumer' || trouble === 'deleted') await this.declared(() => this.declareConsumer());
      return;
    }
    // What is queued came without a hole and stays; the consumer begins anew behind it.
    const anew = { ...options, startSequence: this.#lastSeen + 1 };
    const only = { onlyIfOwned: true };
    if (await this.declared(() => recreateConsumer(this.jsm, anew, this.#owner, only))) this.#lastDelivery = 0;
    else this.displaced();
  }

  protected async run(): Promise<void> {
    const lingerMs = this.options.batch?.lingerMs ?? 0;
    while (!this.stopping) {
      await this.arrivals();
      if (lingerMs > 0 && this.queue.length < this.#maxMessages && !this.stopping) await sleep(lingerMs);
      if (this.stopping) return;
      const batch = this.queue.splice(0, this.#maxMessages);
      if (await this.#handle(batch)) this.#acknowledge(batch);
      this.puller.pull(batch.length);
    }
  }

  protected giveBack(): void {
    if (this.options.style === 'reactor') for (const message of this.queue) message.nak();
  }

  #acknowledge(batch: readonly Delivered[]): void {
    if (this.options.style === 'projection') batch.at(-1)?.ack();
    else for (const message of batch) message.ack();
  }

  /** Order is kept by trying the same batch again until it works; false when stopped before it did. */
  async #handle(batch: readonly Delivered[]): Promise<boolean> {
    const stayAlive = () => {
      for (const message of batch) message.working();
      for (const message of this.queue) message.working();
    };
    const alive = setInterval(stayAlive, (this.options.ackWaitMs ?? 30_000) / 3);
    try {
      for (let pause = RETRY_MS.first; ; pause = Math.min(RETRY_MS.most, pause * 2)) {
        try {
          await this.options.handler(batch);
          return true;
        } catch (error) {
          this.options.onError(error);
        }
        if (!this.stopping) await sleep(pause);
        if (this.stopping) return false;
      }
    } finally {
      clearInterval(alive);
    }
  }
}
