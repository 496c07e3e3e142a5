import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { EPOCH_KEY, type EventLog, openEventLog, type StoredEvent } from '@toolstream/event-log';
import { eventStream } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import type pg from 'pg';
import type { PositionRow } from '../adapters/position.ts';
import { closePostgres, connectPostgres, migrateSchema } from '../adapters/postgres.ts';
import { type Divergence, findDivergence, streamState } from '../adapters/stream.ts';
import { Applier } from '../applier.ts';
import { LIVE_SCHEMA } from '../schema.ts';
import { carryOver, createShadow, dropShadow, SHADOW_SCHEMA, swap } from './shadow.ts';

export interface RebuildOptions {
  readonly nc: NatsConnection;
  readonly databaseUrl: string;
  readonly partitions: number;
  readonly batch: number;
  readonly cacheChars: number;
  readonly log: Logger;
}

export interface RebuildReport {
  /** Schema that holds the tables as they were. */
  readonly keptAs: string;
  readonly partitions: readonly {
    readonly partition: number;
    readonly epoch: string;
    /** Position that the new rows stand at. */
    readonly seq: number;
    /** Ended runs whose events retention has purged: taken from the old rows. */
    readonly carriedOver: number;
    readonly diverged: Divergence | undefined;
  }[];
}

export class RebuildRunningError extends Error {
  override readonly name = 'RebuildRunningError';
}

const REBUILD_LOCK = 0x7453_0002;
const STATEMENT_MS = 10 * 60_000;
/** A pass over the log that finds no more than this is close enough: the rest is read while the live tables stand still. */
const NEARLY_THERE = 1_000;
const CATCH_UP_MS = 10_000;

/**
 * Makes all tables anew from the log beside the live ones, which go on meanwhile, and swaps them in one transaction. A
 * partition whose log lost its tail gets a new epoch first: every cursor handed out for the lost events is void.
 */
export async function rebuildTables(options: RebuildOptions): Promise<RebuildReport> {
  const { databaseUrl, log } = options;
  await migrateSchema(databaseUrl);
  const client = await connectPostgres(databaseUrl, 'toolstream-projection-rebuild', STATEMENT_MS);
  try {
    const { rows } = await client.query<{ got: boolean }>('select pg_try_advisory_lock($1) as got', [REBUILD_LOCK]);
    if (!rows[0]?.got) throw new RebuildRunningError('another rebuild is running; wait for it to end');
    await refuseTooFewPartitions(client, options.partitions);
    await createShadow(client);
    const parts = await Promise.all(
      Array.from({ length: options.partitions }, (_, partition) => begin(options, client, partition)),
    );
    const events = await openEventLog(options.nc, { partitions: options.partitions });
    for (const part of parts) {
      log.info(
        { partition: part.partition, epoch: part.applier.position.epoch, diverged: part.diverged },
        'rebuilding',
      );
      while ((await replay(events, part, options)) > NEARLY_THERE);
    }
    const report = await finish(options, events, parts);
    log.info(report, 'the tables are rebuilt');
    return report;
  } catch (error) {
    await dropShadow(client).catch(() => {});
    throw error;
  } finally {
    // The lock ends with the session.
    await closePostgres(client);
  }
}

async function refuseTooFewPartitions(client: pg.Client, partitions: number): Promise<void> {
  const { rows } = await client.query<{ known: number | null }>(
    `select max(partition) + 1 as known from ${LIVE_SCHEMA}.positions`,
  );
  const known = rows[0]?.known ?? 0;
  if (known > partitions) {
    throw new Error(
      `the tables have ${known} partitions, TOOLSTREAM_PARTITIONS says ${partitions}: set it to ${known}`,
    );
  }
}

interface Part {
  readonly partition: number;
  readonly applier: Applier;
  readonly diverged: Divergence | undefined;
  /** What the live rows stand for, as of the start. */
  readonly live: PositionRow | undefined;
  /** Old rows up to here may be carried over. */
  readonly upTo: number;
}

async function begin(options: RebuildOptions, client: pg.Client, partition: number): Promise<Part> {
  const jsm = await jetstreamManager(options.nc, { checkAPI: false });
  const stream = await streamState(jsm, partition);
  const live = await livePosition(client, partition);
  const diverged = live && (await findDivergence(jsm, partition, stream, live));
  const epoch = diverged?.reason === 'lost_tail' ? await renewEpoch(jsm, partition) : stream.epoch;
  // Of a tail that grew again nobody can say where it was cut: then only what the log says counts.
  const cut = diverged && live.epoch === stream.epoch && live.seq > stream.lastSeq ? stream.lastSeq : 0;
  const upTo = diverged ? cut : Number.MAX_SAFE_INTEGER;
  const claim = { schema: SHADOW_SCHEMA, partition, holder: `rebuild/${randomUUID()}` };
  await client.query(
    `insert into ${SHADOW_SCHEMA}.positions (partition, epoch, seq, holder, updated_at) values ($1, $2, 0, $3, now())`,
    [partition, epoch, claim.holder],
  );
  const start = { epoch, seq: 0, event_id: null };
  return { partition, applier: new Applier(client, claim, start, options.cacheChars), diverged, live, upTo };
}

async function livePosition(client: pg.Client, partition: number): Promise<PositionRow | undefined> {
  const { rows } = await client.query<PositionRow>(
    `select epoch, seq::float8 as seq, event_id from ${LIVE_SCHEMA}.positions where partition = $1`,
    [partition],
  );
  return rows[0];
}

async function renewEpoch(jsm: JetStreamManager, partition: number): Promise<string> {
  const epoch = randomBytes(6).toString('base64url');
  const { config } = await jsm.streams.info(eventStream(partition));
  await jsm.streams.update(eventStream(partition), { metadata: { ...config.metadata, [EPOCH_KEY]: epoch } });
  return epoch;
}

/** One pass over what the log holds behind the part's position. Returns how many events that were. */
async function replay(
  events: EventLog,
  { partition, applier }: Part,
  { batch: most, log }: RebuildOptions,
): Promise<number> {
  const from = applier.position.seq + 1;
  let count = 0;
  let batch: StoredEvent[] = [];
  let bytes = 0;
  const flush = async () => {
    const { unreadable } = await applier.apply(batch);
    for (const { seq, error } of unreadable) log.error({ partition, seq, error }, 'passed over an unreadable event');
    count += batch.length;
    batch = [];
    bytes = 0;
  };
  for await (const event of events.read(`ts.evt.${partition}.>`, { partition, from })) {
    batch.push(event);
    bytes += event.data.length;
    if (batch.length >= most || bytes >= BATCH_BYTES) await flush();
  }
  if (batch.length > 0) await flush();
  return count;
}

const BATCH_BYTES = 8 * 1024 * 1024;

/** Stops the live tables, makes up for what was written meanwhile, carries over, swaps. Readers wait for it, a moment. */
async function finish(options: RebuildOptions, events: EventLog, parts: readonly Part[]): Promise<RebuildReport> {
  const client = await connectPostgres(options.databaseUrl, 'toolstream-projection-swap', STATEMENT_MS);
  const keptAs = `${LIVE_SCHEMA}_before_${new Date().toISOString().replace(/\D/g, '').slice(0, 17)}`;
  try {
    await client.query('begin');
    await client.query(`set local lock_timeout = '30s'`);
    await client.query('set local idle_in_transaction_session_timeout = 0');
    await client.query(`lock table ${LIVE_SCHEMA}.positions in access exclusive mode`);
    const partitions: RebuildReport['partitions'][number][] = [];
    for (const part of parts) {
      await catchUp(client, events, part, options);
      const { partition, applier, diverged, live, upTo } = part;
      const { epoch, seq } = applier.position;
      const carriedOver = live ? await carryOver(client, { partition, from: live.epoch, to: epoch, upTo }) : 0;
      partitions.push({ partition, epoch, seq, carriedOver, diverged });
    }
    await swap(client, keptAs);
    await client.query('commit');
    return { keptAs, partitions };
  } finally {
    await closePostgres(client);
  }
}

/** The new rows must not be behind the ones that they replace; a follower's read may be, for a moment. */
async function catchUp(client: pg.Client, events: EventLog, part: Part, options: RebuildOptions): Promise<void> {
  const live = await livePosition(client, part.partition);
  const goal = part.diverged || !live ? 0 : live.seq;
  const deadline = performance.now() + CATCH_UP_MS;
  for (;;) {
    await replay(events, part, options);
    if (part.applier.position.seq >= goal) return;
    if (performance.now() > deadline) {
      const { seq } = part.applier.position;
      throw new Error(
        `the log of partition ${part.partition} could be read to ${seq} only, the live rows are at ${goal}`,
      );
    }
    await delay(50);
  }
}
