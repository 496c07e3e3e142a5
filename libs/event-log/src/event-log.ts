import type { NatsConnection } from '@nats-io/nats-core';
import {
  eventStream,
  formatCursor,
  type Job,
  parseCursors,
  parseEventSubject,
  partitionOfRun,
  type RunAddress,
  runSubjects,
  runSubjectsAnyApp,
  type Timer,
} from '@toolstream/proto-events';
import { type Append, append } from './append.ts';
import { Channel } from './channel.ts';
import { consumeDurable } from './consume.ts';
import type { ConsumeOptions, DurableConsumer } from './consume-options.ts';
import { isIntact } from './continuity.ts';
import { readLast } from './direct-get.ts';
import { StreamMismatchError } from './errors.ts';
import { follow } from './follow.ts';
import type { Follower, FollowOptions } from './follow-options.ts';
import { EPOCH_KEY, leaderMessage, type StreamPosition } from './leader.ts';
import { type Published, publishJob, publishTimer } from './publish.ts';
import { READ_TIMEOUT_MS, type ReadOptions, type RunReadOptions, readAll, readEvents } from './read.ts';
import { retireTimer } from './retire-timer.ts';
import { requireServer } from './server-version.ts';
import type { StoredEvent } from './stored-event.ts';
import { StreamPositions } from './stream-positions.ts';
import { type Tail, tail } from './tail.ts';

export interface OpenOptions {
  partitions: number;
}

export type Positioned = { ok: true; seq: number } | { ok: false; reason: 'malformed' | 'epoch' | 'future' };

/** The log of one connection. Everything that a service does with JetStream's events, jobs and timers goes through it. */
export class EventLog {
  readonly partitions: number;
  readonly #channel: Channel;
  readonly #positions: StreamPositions;
  readonly #epochs: string[];
  /** Highest sequence seen per partition: what a cursor cannot exceed without asking the leader. */
  readonly #highest: number[];

  constructor(nc: NatsConnection, partitions: number) {
    this.partitions = partitions;
    this.#channel = new Channel(nc);
    this.#positions = new StreamPositions(this.#channel, (partition, position) => this.#learned(partition, position));
    this.#epochs = new Array<string>(partitions).fill('');
    this.#highest = new Array<number>(partitions).fill(0);
  }

  /** The incarnation of a partition's stream, as last heard of; followers hear of it every few seconds. */
  epoch(partition: number): string {
    const epoch = this.#epochs[partition];
    if (epoch === undefined) throw new RangeError(`no partition ${partition}: this log has ${this.partitions}`);
    return epoch;
  }

  /** Asks the leaders again. True if any epoch changed: every cursor handed out before is void. */
  async refreshEpochs(): Promise<boolean> {
    const before = [...this.#epochs];
    const found = await Promise.all(before.map((_, partition) => this.#positions.get(partition)));
    const missing = found.flatMap(({ epoch }, p) => (epoch ? [] : [`${eventStream(p)}: metadata has no ${EPOCH_KEY}`]));
    if (missing.length > 0) {
      throw new StreamMismatchError(missing, 'Declare the streams with TOOLSTREAM_STREAMS=create.');
    }
    return this.#epochs.some((epoch, partition) => before[partition] !== epoch);
  }

  cursor(partition: number, seq: number): string {
    return formatCursor({ epoch: this.epoch(partition), partition, seq });
  }

  /**
   * The sequence that a cursor names in a partition, judged by what this process has seen: `future` may be wrong by a
   * moment, see {@link checkPosition}. A cursor of another stream incarnation, or without this partition, is `epoch`.
   */
  positionOf(cursor: string, partition: number): Positioned {
    const positions = parseCursors(cursor);
    if (!positions) return { ok: false, reason: 'malformed' };
    const position = positions.find((p) => p.partition === partition);
    if (!position || position.epoch !== this.epoch(partition)) return { ok: false, reason: 'epoch' };
    return position.seq <= (this.#highest[partition] ?? 0)
      ? { ok: true, seq: position.seq }
      : { ok: false, reason: 'future' };
  }

  /** As {@link positionOf}, but asks the leader before it calls a cursor a future one. */
  async checkPosition(cursor: string, partition: number): Promise<Positioned> {
    const first = this.positionOf(cursor, partition);
    if (first.ok || first.reason !== 'future') return first;
    await this.lastSeq(partition);
    return this.positionOf(cursor, partition);
  }

  /** Fenced append; see {@link append}. */
  async append(request: Append): Promise<number> {
    const seq = await append(this.#channel, request);
    this.#saw(partitionOfRun(request.run.run) ?? 0, seq);
    return seq;
  }

  read(filter: string, options: ReadOptions): AsyncIterable<StoredEvent> {
    return readEvents(this.#channel, filter, options);
  }

  async readRun(run: RunAddress | { tenant: string; run: string }, options?: RunReadOptions): Promise<StoredEvent[]> {
    const filter = 'app' in run ? runSubjects(run) : runSubjectsAnyApp(run.tenant, run.run);
    const partition = partitionOfRun(run.run) ?? 0;
    const events = await readAll(this.#channel, filter, partition, options);
    this.#saw(partition, events.at(-1)?.seq ?? 0);
    return events;
  }

  /** The last event of a subject or wildcard. The leader is never stale; a direct get may be, on R3, for a moment. */
  async lastOf(filter: string, options: { leader: boolean }): Promise<StoredEvent | undefined> {
    const partition = Number(filter.split('.')[2]);
    const stream = eventStream(partition);
    const event = options.leader
      ? await leaderMessage(this.#channel, stream, { last_by_subj: filter }, READ_TIMEOUT_MS)
      : await readLast(this.#channel, { stream, filter, timeoutMs: READ_TIMEOUT_MS });
    if (event) this.#saw(partition, event.seq);
    return event;
  }

  /** Last sequence of a partition, as its leader knows it. */
  async lastSeq(partition: number): Promise<number> {
    return (await this.#positions.get(partition)).last;
  }

  /**
   * Nothing that these subjects held behind a position was purged. To be asked after it was read; see {@link isIntact}.
   * `ofRun`: they are one run's, and the position is that of one of its events, or 0.
   */
  isIntact(filter: string, { behind, ofRun }: { behind: number; ofRun: boolean }): Promise<boolean> {
    const partition = Number(filter.split('.')[2]);
    return isIntact(this.#channel, this.#positions, { partition, filter, low: behind, fromIsEvent: ofRun });
  }

  /** The first event of a subject or wildcard that is still held at or behind `from`, as the leader knows it. */
  firstOf(filter: string, from = 1): Promise<StoredEvent | undefined> {
    const stream = eventStream(Number(filter.split('.')[2]));
    return leaderMessage(this.#channel, stream, { seq: from, next_by_subj: filter }, READ_TIMEOUT_MS);
  }

  tail(liveSubject: string, onEvent: (event: StoredEvent) => void, onError?: (error: Error) => void): Tail {
    return tail(
      this.#channel.nc,
      liveSubject,
      (event) => {
        const partition = parseEventSubject(event.subject)?.partition;
        if (partition !== undefined) this.#saw(partition, event.seq);
        onEvent(event);
      },
      onError,
    );
  }

  /** The live tail with its gaps found and filled; see {@link FollowOptions}. Any number may run at once. */
  follow(options: FollowOptions): Follower {
    const { onEvents } = options;
    return follow(
      { channel: this.#channel, partitions: this.partitions, positions: this.#positions, epoch: (p) => this.epoch(p) },
      {
        ...options,
        onEvents: (events, partition) => {
          this.#saw(partition, events.at(-1)?.seq ?? 0);
          return onEvents(events, partition);
        },
      },
    );
  }

  publishJob(job: Job, timeoutMs?: number): Promise<Published> {
    return publishJob(this.#channel, job, timeoutMs);
  }

  publishTimer(timer: Timer, timeoutMs?: number): Promise<Published> {
    return publishTimer(this.#channel, timer, timeoutMs);
  }

  /** See {@link retireTimer}. */
  retireTimer(id: string, seq?: number): Promise<void> {
    return retireTimer(this.#channel, id, seq);
  }

  consumeDurable(options: ConsumeOptions): Promise<DurableConsumer> {
    return consumeDurable(this.#channel.nc, options);
  }

  #learned(partition: number, { epoch, last }: StreamPosition): void {
    if (epoch !== undefined && epoch !== this.#epochs[partition]) {
      this.#epochs[partition] = epoch;
      this.#highest[partition] = last;
    } else {
      this.#saw(partition, last);
    }
  }

  #saw(partition: number, seq: number): void {
    if (seq > (this.#highest[partition] ?? 0)) this.#highest[partition] = seq;
  }
}

/** Opens the log on a connection; the streams must have been declared. */
export async function openEventLog(nc: NatsConnection, options: OpenOptions): Promise<EventLog> {
  requireServer(nc);
  const log = new EventLog(nc, options.partitions);
  await log.refreshEpochs();
  return log;
}
