import { setTimeout as sleep } from 'node:timers/promises';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  JetStreamApiCodes,
  type JetStreamManager,
  ReplayPolicy,
} from '@nats-io/jetstream';
import { hasApiCode } from './retry.ts';

export interface DurableOptions {
  stream: string;
  durable: string;
  filter?: string | string[];
  /** After this time without ack or sign of life a message is delivered again. */
  ackWaitMs?: number;
  /** Upper bound of messages delivered and not acknowledged, over all replicas. */
  maxAckPending?: number;
  /** Default: without end. */
  maxDeliver?: number;
  /** One replica at a time is served; after this long without a pull from it the next one is. */
  pinned?: { timeoutMs: number };
  /** Deliver from this sequence on. A consumer that exists keeps its own position, except with `recreate`. */
  startSequence?: number;
}

/** Longer than a take-over needs between its two steps. */
const YIELD_MS = 200;
export const PIN_GROUP = 'replica';
/** Consumer metadata: which process made it. */
export const OWNER_KEY = 'toolstream.owner';

const nanos = (ms: number): number => Math.round(ms * 1e6);

export function consumerConfig(options: DurableOptions, ack: 'all' | 'explicit'): Partial<ConsumerConfig> {
  const { filter, startSequence, pinned } = options;
  return {
    durable_name: options.durable,
    ack_policy: ack === 'all' ? AckPolicy.All : AckPolicy.Explicit,
    ack_wait: nanos(options.ackWaitMs ?? 30_000),
    max_ack_pending: options.maxAckPending ?? 1_000,
    max_deliver: options.maxDeliver ?? -1,
    replay_policy: ReplayPolicy.Instant,
    ...(startSequence === undefined
      ? { deliver_policy: DeliverPolicy.All }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: startSequence }),
    ...(filter === undefined
      ? {}
      : typeof filter === 'string'
        ? { filter_subject: filter }
        : { filter_subjects: filter }),
    ...(pinned === undefined
      ? {}
      : {
          priority_groups: [PIN_GROUP],
          priority_policy: 'pinned_client',
          priority_timeout: nanos(pinned.timeoutMs),
        }),
  };
}

const CONSUMER_EXISTS = 10148;
const CHANGEABLE = ['ack_wait', 'max_ack_pending', 'max_deliver', 'priority_timeout'] as const;

async function lookUp(jsm: JetStreamManager, stream: string, name: string): Promise<ConsumerInfo | undefined> {
  try {
    return await jsm.consumers.info(stream, name);
  } catch (error) {
    if (hasApiCode(error, JetStreamApiCodes.ConsumerNotFound)) return undefined;
    throw error;
  }
}

/** Makes the consumer or brings the one there up to date; its position stays. Safe to do at the same time. */
export async function ensureConsumer(
  jsm: JetStreamManager,
  options: DurableOptions,
  ack: 'all' | 'explicit',
): Promise<void> {
  const config = consumerConfig(options, ack);
  const existing = (await lookUp(jsm, options.stream, options.durable))?.config;
  if (!existing) {
    await jsm.consumers.add(options.stream, config);
    return;
  }
  if (CHANGEABLE.every((key) => config[key] === undefined || config[key] === existing[key])) return;
  const { ack_wait, max_ack_pending, max_deliver, priority_timeout } = config;
  const changes = { ack_wait, max_ack_pending, max_deliver, ...(priority_timeout ? { priority_timeout } : {}) };
  await jsm.consumers.update(options.stream, options.durable, changes as Partial<ConsumerConfig>);
}

/**
 * Makes the consumer anew at `startSequence`, whatever position the old one had. With `onlyIfOwned` a consumer that
 * another process made in the meantime is left alone and the answer is false.
 */
export async function recreateConsumer(
  jsm: JetStreamManager,
  options: DurableOptions & { startSequence: number },
  owner: string,
  { onlyIfOwned }: { onlyIfOwned: boolean },
): Promise<boolean> {
  const config = { ...consumerConfig(options, 'all'), metadata: { [OWNER_KEY]: owner } };
  for (let tries = 1; ; tries++) {
    let existing = await lookUp(jsm, options.stream, options.durable);
    if (!existing && onlyIfOwned) {
      // Gone may mean that another process is between its two steps: who repairs lets who takes over go first.
      await sleep(YIELD_MS);
      existing = await lookUp(jsm, options.stream, options.durable);
    }
    if (existing && onlyIfOwned && existing.config.metadata?.[OWNER_KEY] !== owner) return false;
    if (existing) await remove(jsm, options);
    try {
      await jsm.consumers.add(options.stream, config);
      return true;
    } catch (error) {
      // Another process made it between our two steps.
      if (!hasApiCode(error, CONSUMER_EXISTS) || tries === 5) throw error;
    }
  }
}

async function remove(jsm: JetStreamManager, { stream, durable }: DurableOptions): Promise<void> {
  try {
    await jsm.consumers.delete(stream, durable);
  } catch (error) {
    if (!hasApiCode(error, JetStreamApiCodes.ConsumerNotFound)) throw error;
  }
}
