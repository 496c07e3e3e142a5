import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { BatchConsumer } from './batch-consumer.ts';
import type { ConsumeOptions, DurableConsumer } from './consume-options.ts';
import { PipelinedConsumer } from './pipelined-consumer.ts';
import { PlainConsumer } from './plain-consumer.ts';

/** Starts a durable consumer; resolves once it is declared and asked for messages. */
export async function consumeDurable(nc: NatsConnection, options: ConsumeOptions): Promise<DurableConsumer> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const consumer = consumerOf(nc, jsm, options);
  await consumer.start();
  return consumer;
}

function consumerOf(nc: NatsConnection, jsm: JetStreamManager, options: ConsumeOptions) {
  switch (options.style) {
    case 'plain':
      return new PlainConsumer(nc, jsm, options);
    case 'pipelined':
      return new PipelinedConsumer(nc, jsm, options);
    default:
      return new BatchConsumer(nc, jsm, options);
  }
}
