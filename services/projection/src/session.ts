import type { NatsConnection } from '@nats-io/nats-core';
import { consumeDurable, type Delivered, type DurableConsumer } from '@toolstream/event-log';
import { eventStream } from '@toolstream/proto-events';
import { asError, type Logger, within } from '@toolstream/service-kit';
import type pg from 'pg';
import { type Claim, keepPosition, type PositionRow } from './adapters/position.ts';
import { CONSUMER } from './adapters/stream.ts';
import { Applier } from './applier.ts';
import type { ChangedRun } from './fold/fold-batch.ts';
import type { ProjectionMetrics } from './metrics.ts';

export interface SessionLimits {
  /** Most events in one transaction. */
  readonly batch: number;
  /** Transactions begin at least this far apart: many small ones cost most. A lone event does not wait. */
  readonly paceMs: number;
  /** How often a holder says that it is there. */
  readonly keepMs: number;
  /** JSON characters of states kept in memory. */
  readonly cacheChars: number;
}

export interface SessionContext {
  readonly nc: NatsConnection;
  readonly client: pg.Client;
  readonly claim: Claim;
  readonly limits: SessionLimits;
  readonly log: Logger;
  readonly metrics: ProjectionMetrics;
  /** Told after each commit. */
  onCommitted(batch: Committed): void;
}

export interface Committed {
  readonly changed: readonly ChangedRun[];
  readonly pending: number;
  /** When the server stored the last event, in ms since 1970. */
  readonly appliedAt: number;
}

/** The turn cannot go on, for a reason outside of it. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** Longer than any transaction may take; what is delivered twice is left out by its sequence. */
const ACK_WAIT_MS = 120_000;
const LEAVE_MS = 2_000;

/**
 * One uninterrupted turn at a partition: from the claimed position on, batch after batch, until something fails or it
 * is told to stop. It begins with nothing in memory and keeps nothing that was not committed; whatever goes wrong, the
 * next turn begins at the row's position, whether the last commit went through or not.
 */
export class Session {
  readonly #context: SessionContext;
  readonly #applier: Applier;
  readonly #ended = Promise.withResolvers<void>();
  #over = false;
  #began = 0;
  /** The connection carries one transaction at a time: everything on it is chained here. */
  #work: Promise<void> = Promise.resolve();

  private constructor(context: SessionContext, position: PositionRow) {
    this.#context = context;
    this.#applier = new Applier(context.client, context.claim, position, context.limits.cacheChars);
    this.#ended.promise.catch(() => {});
  }

  /** Runs until `stop`, then resolves; rejects with whatever else ends it. */
  static async run(
    context: SessionContext,
    position: PositionRow,
    onStarted: (session: Session) => void,
  ): Promise<void> {
    const session = new Session(context, position);
    const { nc, client, claim, limits } = context;
    client.once('end', () => session.fail(new InterruptedError('the connection to Postgres was lost')));
    const consumer = await consumeDurable(nc, {
      style: 'projection',
      stream: eventStream(claim.partition),
      durable: CONSUMER,
      startSequence: position.seq + 1,
      ackWaitMs: ACK_WAIT_MS,
      maxAckPending: 4 * limits.batch,
      batch: { maxMessages: limits.batch },
      handler: (batch) => session.#handle(batch),
      onError: (error) => session.fail(asError(error)),
    });
    void consumer.ended.then(() => session.fail(new InterruptedError('another projection made the consumer anew')));
    const keep = setInterval(() => session.#keep(), limits.keepMs);
    try {
      onStarted(session);
      await session.#ended.promise;
    } finally {
      clearInterval(keep);
      await session.#leave(consumer);
    }
  }

  /** Ends the turn after the transaction in hand. */
  stop(): void {
    this.#over = true;
    this.#ended.resolve();
  }

  fail(error: Error): void {
    this.#over = true;
    this.#ended.reject(error);
  }

  /** While NATS is away the consumer cannot be left in order; it is made anew anyway. */
  async #leave(consumer: DurableConsumer): Promise<void> {
    await within(LEAVE_MS, Promise.all([this.#work, consumer.drain()]));
  }

  async #handle(batch: readonly Delivered[]): Promise<void> {
    const rest = this.#began + this.#context.limits.paceMs - performance.now();
    if (rest > 1) await new Promise((resolve) => setTimeout(resolve, rest));
    this.#began = performance.now();
    await this.#exclusively(() => this.#apply(batch));
  }

  #keep(): void {
    const { client, claim } = this.#context;
    void this.#exclusively(() => keepPosition(client, claim)).catch(() => {});
  }

  /** A failure ends the turn: nothing is tried again on what may not be true any more. */
  #exclusively(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(async () => {
      if (this.#over) throw new InterruptedError('the turn has ended');
      await work();
    });
    this.#work = done.catch((error: unknown) => this.fail(asError(error)));
    return done;
  }

  async #apply(batch: readonly Delivered[]): Promise<void> {
    const { claim, log, metrics, onCommitted } = this.#context;
    const { partition } = claim;
    const began = performance.now();
    const { events, changed, unreadable } = await this.#applier.apply(batch);
    metrics.applied(partition, events, changed.length, (performance.now() - began) / 1000);
    for (const { seq, error } of unreadable) {
      log.error({ partition, seq, error }, 'passed over an event that cannot be read');
      metrics.unreadable(partition);
    }
    const last = batch.at(-1)!;
    onCommitted({ changed, pending: last.pending, appliedAt: last.time ?? Date.now() });
  }
}
