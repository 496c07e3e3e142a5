import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { asError, type Logger } from '@toolstream/service-kit';
import type pg from 'pg';
import { type Claim, claimPosition, releasePosition, SupersededError } from './adapters/position.ts';
import { closePostgres, connectPostgres } from './adapters/postgres.ts';
import { type Divergence, findDivergence, streamState } from './adapters/stream.ts';
import type { PartitionMode, PartitionStatus, ProjectionMetrics } from './metrics.ts';
import { type Committed, InterruptedError, Session, type SessionLimits } from './session.ts';

export interface ProjectorOptions {
  readonly nc: NatsConnection;
  readonly databaseUrl: string;
  readonly schema: string;
  readonly partition: number;
  readonly instance: string;
  readonly limits: SessionLimits;
  /** A holder not heard of for this long may be replaced. */
  readonly leaseMs: number;
  /** How often a standby looks whether it may take over. */
  readonly standbyMs: number;
  readonly log: Logger;
  readonly metrics: ProjectionMetrics;
  onCommitted?(batch: Committed): void;
  /** Rows and log do not belong together. Returns true when it has put that right. */
  onDiverged?(divergence: Divergence): Promise<boolean>;
}

const FIRST_RETRY_MS = 100;
const LAST_RETRY_MS = 3_000;
/** A turn that lasted this long is no sign of trouble: the next retry comes soon. */
const STEADY_MS = 5_000;

/**
 * Projects one partition for as long as it runs. Modes:
 *
 *     starting ──claimed──▶ active ──feed broke, Postgres gone──▶ starting (after a pause)
 *     starting ──held by another──▶ standby ──released, lease ran out──▶ active
 *     active ──position taken over──▶ standby
 *     starting ──rows and log do not belong together──▶ diverged ──put right──▶ starting
 */
export class PartitionProjector {
  readonly #options: ProjectorOptions;
  readonly #claim: Claim;
  /** Only the first claim may push out an earlier life of this instance: two that share a name must not take turns. */
  #firstClaim = true;
  readonly #abort = new AbortController();
  #mode: PartitionMode = 'starting';
  #reason: string | undefined;
  #pending = 0;
  #appliedAt: number | undefined;
  #session: Session | undefined;
  #done: Promise<void> | undefined;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    const { schema, partition, instance } = options;
    this.#claim = { schema, partition, holder: `${instance}/${randomUUID()}` };
  }

  get status(): PartitionStatus {
    return {
      partition: this.#options.partition,
      mode: this.#mode,
      pending: this.#pending,
      ...(this.#reason === undefined ? {} : { reason: this.#reason }),
      ...(this.#appliedAt === undefined ? {} : { appliedAt: this.#appliedAt }),
    };
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Ends after the batch in hand, and gives the partition back. */
  async stop(): Promise<void> {
    this.#abort.abort();
    this.#session?.stop();
    await this.#done;
  }

  /** NATS is gone: what was pulled may have been lost on the way. */
  connectionLost(): void {
    this.#session?.fail(new InterruptedError('the connection to NATS was lost'));
  }

  async #run(): Promise<void> {
    let retry = FIRST_RETRY_MS;
    while (!this.#stopping) {
      const began = performance.now();
      const pause = await this.#turn().catch((error: unknown) => {
        if (this.#stopping) return 0;
        retry = performance.now() - began > STEADY_MS ? FIRST_RETRY_MS : Math.min(LAST_RETRY_MS, retry * 2);
        this.#failed(asError(error), retry);
        return error instanceof SupersededError ? this.#options.standbyMs : retry * (0.5 + Math.random() / 2);
      });
      if (pause > 0) await delay(pause, undefined, { signal: this.#abort.signal }).catch(() => {});
    }
    this.#enter('stopped');
  }

  get #stopping(): boolean {
    return this.#abort.signal.aborted;
  }

  #enter(mode: PartitionMode, reason?: string): void {
    this.#mode = mode;
    this.#reason = reason;
  }

  #failed(error: Error, retryMs: number): void {
    const { log, metrics, partition } = this.#options;
    if (error instanceof SupersededError) {
      this.#enter('standby', error.message);
      metrics.lost(partition, 'superseded');
      log.warn({ partition }, 'another projection took over; standing by');
      return;
    }
    this.#enter('starting', error.message);
    metrics.lost(partition, error.name);
    log.warn({ partition, error, retryMs }, 'projecting was interrupted; going on from the position of the rows');
  }

  /** One attempt to take the partition and one session of it. Returns how long to wait before the next. */
  async #turn(): Promise<number> {
    const { databaseUrl, partition } = this.#options;
    const client = await connectPostgres(databaseUrl, `toolstream-projection-${partition}`);
    try {
      return await this.#project(client);
    } finally {
      await releasePosition(client, this.#claim).catch(() => {});
      await closePostgres(client);
    }
  }

  async #project(client: pg.Client): Promise<number> {
    const claim = this.#claim;
    const { nc, partition, limits, leaseMs, standbyMs, log, metrics, onDiverged } = this.#options;
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const stream = await streamState(jsm, partition);
    const claimed = await claimPosition(client, claim, { epoch: stream.epoch, leaseMs, eager: this.#firstClaim });
    this.#firstClaim = false;
    if ('heldBy' in claimed) {
      if (this.#mode !== 'standby') log.info({ partition, heldBy: claimed.heldBy }, 'standing by');
      this.#enter('standby', `held by ${claimed.heldBy}`);
      return standbyMs;
    }
    const position = claimed.taken;
    const divergence = await findDivergence(jsm, partition, stream, position);
    if (divergence) {
      if (this.#mode !== 'diverged') log.error({ partition, ...divergence }, DIVERGED);
      this.#enter('diverged', divergence.message);
      await releasePosition(client, claim);
      return (await onDiverged?.(divergence)) ? 0 : DIVERGED_RETRY_MS;
    }
    const context = {
      nc,
      client,
      claim,
      limits,
      log,
      metrics,
      onCommitted: (batch: Committed) => this.#committed(batch),
    };
    try {
      await Session.run(context, position, (session) => {
        this.#session = session;
        this.#pending = Math.max(0, stream.lastSeq - position.seq);
        this.#enter('active');
        metrics.takenOver(partition);
        log.info({ partition, position: position.seq, of: stream.lastSeq, from: claimed.from }, 'projecting');
        if (this.#stopping) session.stop();
      });
      return 0;
    } finally {
      this.#session = undefined;
    }
  }

  #committed(batch: Committed): void {
    this.#pending = batch.pending;
    this.#appliedAt = batch.appliedAt;
    this.#options.onCommitted?.(batch);
  }
}

const DIVERGED =
  'the rows do not belong to this log; nothing is projected in this partition until the tables are rebuilt (README: "When Postgres is ahead of NATS")';
const DIVERGED_RETRY_MS = 5_000;
