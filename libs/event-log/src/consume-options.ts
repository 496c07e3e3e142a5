import type { DurableOptions } from './consumer-config.ts';
import type { Delivered } from './delivered.ts';

export interface CommonOptions extends DurableOptions {
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

/**
 * In batches, handed over in order of arrival, each without waiting for the ones before; a batch is acknowledged when it
 * is handled and given back as a whole when it failed. After losses in transit a message comes late, after `ackWaitMs`.
 */
export interface PipelinedOptions extends CommonOptions {
  style: 'pipelined';
  /** Messages handed over and not finished, at most. Default 1,000. */
  inHand?: number;
  retryDelayMs?: number;
  handler: (batch: readonly Delivered[]) => Promise<void>;
}

export type ConsumeOptions = ProjectionOptions | ReactorOptions | PlainOptions | PipelinedOptions;

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
