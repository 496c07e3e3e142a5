import { setTimeout as sleep } from 'node:timers/promises';
import { type EventLog, isConflict, isRetryable } from '@toolstream/event-log';
import type { EventData, EventType, Job, Json, ToolstreamEvent } from '@toolstream/proto-events';
import {
  type OutputBuffer,
  type OutputChunk,
  type ProgressCoalescer,
  type ProgressReport,
  ToolAborted,
} from '@toolstream/tool-kit';
import { attemptEvent } from './envelope.ts';
import type { OutputSpill } from './output-spill.ts';

export interface AttemptLogOptions {
  readonly log: EventLog;
  readonly job: Job;
  readonly attempt: number;
  /** Sequence of the claim: the first append chains to it. */
  readonly seq: number;
  readonly source: string;
  readonly progress: ProgressCoalescer;
  readonly output: OutputBuffer;
  readonly spill: OutputSpill;
  /** Another writer has the subject: nothing can be appended any more. Called once. */
  onFenced(): void;
  /** The server will never take this event. */
  onRejected(type: EventType, error: unknown): void;
  /** Stores what is too large for an event. */
  fit(value: Json): Promise<Json>;
}

interface Must {
  /** Called once, when its turn comes: its time is then later than that of all before it. */
  readonly make: () => ToolstreamEvent;
  readonly last: boolean;
  resolve(seq: number): void;
  reject(error: unknown): void;
}

/** What is called on an attempt after its end hears this. One for all: to make an error costs more than to append an event. */
export const ENDED = new ToolAborted('fenced', 'The attempt has ended.');

const RETRY_MS = 500;
const LONGEST_RETRY_MS = 5000;

/**
 * The attempt's pen: one append in flight, each chained to the sequence that the one before returned. Progress and
 * output wait in their own bounded buffers until it is free; what must be said goes first, and an end goes after
 * everything that was reported before it.
 *
 * An append whose outcome is unknown, or that the log has no room for, is appended again unchanged for as long as the
 * attempt lives: the log recognises it by its id. A conflict ends the pen for good.
 */
export class AttemptLog {
  readonly #options: AttemptLogOptions;
  readonly #musts: Must[] = [];
  readonly #roomWaiters: (() => void)[] = [];
  #seq: number;
  #pumping = false;
  #closed: Error | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: AttemptLogOptions) {
    this.#options = options;
    this.#seq = options.seq;
  }

  /** Something was put into the progress or output buffer. */
  wake(): void {
    if (!this.#pumping && !this.#closed) void this.#pump();
  }

  /** Resolves when there is room for more output. */
  async room(): Promise<void> {
    while (this.#options.output.isFull) {
      if (this.#closed) throw this.#closed;
      await new Promise<void>((resolve) => this.#roomWaiters.push(resolve));
    }
  }

  append<T extends EventType>(type: T, data: EventData<T>): Promise<number> {
    return this.#must(type, data, false);
  }

  /** Appends everything reported so far, then this, then nothing more. */
  async end<T extends EventType>(type: T, data: EventData<T>): Promise<number> {
    const seq = await this.#must(type, data, true);
    this.close(ENDED);
    return seq;
  }

  /** Stops appending at once. */
  close(reason: Error): void {
    if (this.#closed) return;
    this.#closed = reason;
    clearTimeout(this.#timer);
    for (const must of this.#musts.splice(0)) must.reject(reason);
    this.#wakeWriters();
  }

  #must<T extends EventType>(type: T, data: EventData<T>, last: boolean): Promise<number> {
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise((resolve, reject) => {
      this.#musts.push({ make: () => this.#event(type, data), last, resolve, reject });
      this.wake();
    });
  }

  async #pump(): Promise<void> {
    this.#pumping = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    try {
      while (!this.#closed && (await this.#step())) {
        // Each step appends one event.
      }
    } catch (error) {
      // No step lets an expected failure through: better a lost attempt than one that goes on with a broken pen.
      this.close(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#pumping = false;
    }
    if (!this.#closed) this.#armTimer();
  }

  /** Appends the next event that is due; false when none is. */
  async #step(): Promise<boolean> {
    const { progress, output } = this.#options;
    const now = performance.now();
    const must = this.#musts[0];
    if (must?.last) return this.#stepTowardsEnd(must, now);
    if (must) return this.#appendMust(must);
    const report = progress.take(now);
    if (report) return this.#appendProgress(report);
    const chunk = output.take(now);
    return chunk ? this.#appendOutput(chunk) : false;
  }

  async #stepTowardsEnd(must: Must, now: number): Promise<boolean> {
    const { progress, output, spill } = this.#options;
    for (let chunk = output.flush(); chunk && !this.#closed; chunk = output.flush()) await this.#appendOutput(chunk);
    for (const report of progress.drain(now)) {
      if (this.#closed) return false;
      await this.#appendProgress(report);
    }
    for (const data of this.#closed ? [] : await spill.finish()) await this.#appendFreely('tool.output.v1', data);
    return this.#closed ? false : this.#appendMust(must);
  }

  async #appendMust(must: Must): Promise<boolean> {
    try {
      const seq = await this.#appendChained(must.make());
      this.#musts.shift();
      must.resolve(seq);
    } catch (error) {
      if (this.#musts[0] === must) this.#musts.shift();
      must.reject(error);
    }
    return true;
  }

  async #appendProgress({ details, ...report }: ProgressReport): Promise<boolean> {
    if (details === undefined) return this.#appendFreely('tool.progressed.v1', report);
    let fitted: Json | undefined;
    try {
      fitted = await this.#options.fit(details as { [key: string]: Json });
    } catch (error) {
      this.#options.onRejected('tool.progressed.v1', error);
    }
    const kept = fitted === undefined ? {} : { details: fitted as { [key: string]: Json } };
    return this.#appendFreely('tool.progressed.v1', { ...report, ...kept });
  }

  async #appendOutput(chunk: OutputChunk): Promise<boolean> {
    this.#wakeWriters();
    if (!chunk.spill) return this.#appendFreely('tool.output.v1', { channel: chunk.channel, text: chunk.text });
    const notice = await this.#options.spill.write(chunk);
    return notice ? this.#appendFreely('tool.output.v1', notice) : true;
  }

  /** What nobody waits for. */
  async #appendFreely<T extends EventType>(type: T, data: EventData<T>): Promise<boolean> {
    const event = this.#event(type, data);
    try {
      await this.#appendChained(event);
    } catch (error) {
      if (!this.#closed) this.#options.onRejected(type, error);
    }
    return true;
  }

  async #appendChained(event: ToolstreamEvent): Promise<number> {
    const { log, job } = this.#options;
    for (let wait = RETRY_MS; ; wait = Math.min(LONGEST_RETRY_MS, wait * 2)) {
      if (this.#closed) throw this.#closed;
      try {
        this.#seq = await log.append({ run: job, event, expected: this.#seq, jobId: job.job_id });
        return this.#seq;
      } catch (error) {
        if (isConflict(error)) {
          this.close(new ToolAborted('fenced', 'Another attempt or a command took the tool call over.'));
          this.#options.onFenced();
        }
        if (!isRetryable(error)) throw error;
        await sleep(wait);
      }
    }
  }

  #armTimer(): void {
    const due = Math.min(
      this.#options.progress.dueAt(performance.now()) ?? Number.POSITIVE_INFINITY,
      this.#options.output.dueAt() ?? Number.POSITIVE_INFINITY,
    );
    if (due === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.wake(), Math.max(0, Math.ceil(due - performance.now())));
  }

  #wakeWriters(): void {
    if (this.#closed || !this.#options.output.isFull) for (const wake of this.#roomWaiters.splice(0)) wake();
  }

  #event<T extends EventType>(type: T, data: EventData<T>): ToolstreamEvent {
    const { job, attempt, source } = this.#options;
    return attemptEvent(job, attempt, source, type, data);
  }
}
