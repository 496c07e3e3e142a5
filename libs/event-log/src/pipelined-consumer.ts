import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { PipelinedOptions } from './consume-options.ts';
import { ensureConsumer } from './consumer-config.ts';
import type { Delivered } from './delivered.ts';
import { DurableBase } from './durable-base.ts';
import type { Trouble } from './pull.ts';

const IN_HAND = 1_000;
const RETRY_DELAY_MS = 1_000;
/** Acknowledgements wait this long for company: one write for many of them instead of one for each. */
const ACK_LINGER_MS = 5;

interface InHand {
  readonly messages: readonly Delivered[];
  readonly since: number;
}

/** The style for a reader that keeps order itself where order matters, and must not wait for its slowest message. */
export class PipelinedConsumer extends DurableBase<PipelinedOptions> {
  readonly #working = new Map<InHand, Promise<void>>();
  #handled: Delivered[] = [];
  #acknowledging: NodeJS.Timeout | undefined;

  constructor(nc: NatsConnection, jsm: JetStreamManager, options: PipelinedOptions) {
    super(nc, jsm, options, options.inHand ?? IN_HAND);
  }

  protected declareConsumer(): Promise<void> {
    return ensureConsumer(this.jsm, this.options, 'explicit');
  }

  protected async repair(trouble: Trouble): Promise<void> {
    if (trouble === 'no_consumer' || trouble === 'deleted') await this.declared(() => this.declareConsumer());
  }

  protected async run(): Promise<void> {
    const everyMs = (this.options.ackWaitMs ?? 30_000) / 3;
    const alive = setInterval(() => this.#stayAlive(everyMs), everyMs);
    try {
      while (!this.stopping) {
        await this.arrivals();
        if (this.stopping) break;
        const messages = this.queue.splice(0);
        const batch: InHand = { messages, since: performance.now() };
        this.#working.set(batch, this.#handle(batch));
      }
      await Promise.all(this.#working.values());
      this.#acknowledge();
    } finally {
      clearInterval(alive);
    }
  }

  protected giveBack(): void {
    for (const message of this.queue) message.nak();
  }

  #stayAlive(olderThanMs: number): void {
    const before = performance.now() - olderThanMs;
    for (const { messages, since } of this.#working.keys()) {
      if (since <= before) for (const message of messages) message.working();
    }
  }

  async #handle(batch: InHand): Promise<void> {
    const { messages } = batch;
    try {
      await this.options.handler(messages);
      this.#handled.push(...messages);
      this.#acknowledging ??= setTimeout(() => this.#acknowledge(), ACK_LINGER_MS);
    } catch (error) {
      this.options.onError(error);
      for (const message of messages) message.nak(this.options.retryDelayMs ?? RETRY_DELAY_MS);
      this.puller.pull(messages.length);
    }
    this.#working.delete(batch);
  }

  #acknowledge(): void {
    clearTimeout(this.#acknowledging);
    this.#acknowledging = undefined;
    const handled = this.#handled;
    this.#handled = [];
    for (const message of handled) message.ack();
    this.puller.pull(handled.length);
  }
}
