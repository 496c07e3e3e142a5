import { type EventLog, isConflict } from '@toolstream/event-log';
import type { EventData, EventType, Job, Json, ToolMetrics } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import {
  type AbortKind,
  inputRequestOf,
  OutputBuffer,
  ProgressCoalescer,
  ToolAborted,
  ToolFailure,
} from '@toolstream/tool-kit';
import type { AttemptStores, StoresFor } from '../adapters/stores.ts';
import type { ControlWatch, Verdict } from '../control/control-watch.ts';
import type { Execution, LoadedTool, ToolRunner } from '../isolation/runner.ts';
import type { AttemptMeasured } from '../metrics.ts';
import { AttemptHost } from './attempt-host.ts';
import { AttemptLog, ENDED } from './attempt-log.ts';
import { Deadline } from './deadline.ts';
import { type Failure, failureOf } from './failure-of.ts';
import { HoldGate } from './hold-gate.ts';
import { OutputSpill } from './output-spill.ts';

export interface AttemptOptions {
  readonly job: Job;
  readonly attempt: number;
  /** Sequence of the claim. */
  readonly seq: number;
  readonly queueMs: number;
  readonly tool: LoadedTool | undefined;
  readonly runner: ToolRunner;
  readonly log: EventLog;
  readonly source: string;
  readonly storesFor: StoresFor;
  readonly control: ControlWatch;
  readonly logger: Logger;
  readonly progressHz: number;
  readonly graceMs: number;
  readonly pauseHoldMs: number;
  onMeasured(measured: AttemptMeasured): void;
}

/** `ended`: an event says how the attempt ended, the job is done. `fenced`: another writer has the tool call. */
export type AttemptEnd = 'ended' | 'fenced';

/** A later reason to stop replaces an earlier one only if it weighs more: it decides what the end is called. */
const WEIGHT: Record<AbortKind, number> = { paused: 1, drain: 2, timeout: 3, cancel: 4, fenced: 5 };

/**
 * One attempt, from its claim to its end. Running → (held ⇄ running) → stopping → ended; stopping asks the tool by its
 * signal, and terminates it when the grace time is over. Exactly one end is appended, or none when fenced.
 */
export class Attempt {
  readonly #options: AttemptOptions;
  readonly #abort = new AbortController();
  readonly #gate = new HoldGate((held) => this.#onHeld(held));
  readonly #deadline: Deadline;
  readonly #log: AttemptLog;
  readonly #host: AttemptHost;
  readonly #spill: OutputSpill;
  readonly #stores: AttemptStores;
  readonly #startedAt = performance.now();
  #heldSince: number | undefined;
  #heldMs = 0;
  #execution: Execution | undefined;
  #stop: ToolAborted | undefined;
  #concluding = false;
  #graceTimer: NodeJS.Timeout | undefined;
  #holdTimer: NodeJS.Timeout | undefined;

  constructor(options: AttemptOptions) {
    this.#options = options;
    const { job, attempt, seq, log, source, storesFor, logger, progressHz } = options;
    const stores = storesFor(job, attempt, this.#abort.signal);
    this.#stores = stores;
    const progress = new ProgressCoalescer(progressHz);
    const output = new OutputBuffer();
    this.#spill = new OutputSpill((content) => stores.keepOutput(content));
    this.#log = new AttemptLog({
      log,
      job,
      attempt,
      seq,
      source,
      progress,
      output,
      spill: this.#spill,
      fit: (value) => stores.fit(value),
      onFenced: () => this.stop('fenced', 'Another attempt or a command took the tool call over.'),
      onRejected: (type, error) => logger.error({ error, type, job: job.job_id }, 'the log refused an event'),
    });
    this.#host = new AttemptHost({
      gate: this.#gate,
      log: this.#log,
      progress,
      output,
      stores,
      write: (level, message, fields) => logger[level]({ ...fields, job: job.job_id, tool: job.name }, message),
    });
    this.#deadline = new Deadline(job.timeout_ms, () => this.stop('timeout', `Ran longer than ${job.timeout_ms} ms.`));
  }

  get isIdempotent(): boolean {
    return this.#options.job.idempotent;
  }

  async run(): Promise<AttemptEnd> {
    const { job, control } = this.#options;
    const leave = control.join({
      run: job,
      index: job.index,
      pause: job.pause,
      knownSeq: job.run_seq,
      onVerdict: (verdict) => this.#onVerdict(verdict),
    });
    this.#deadline.start();
    try {
      const outcome = await this.#execute();
      this.#concluding = true;
      this.#deadline.stop();
      if (this.#stop?.kind === 'fenced') return 'fenced';
      return await this.#conclude(outcome);
    } finally {
      leave();
      this.#leaveNothing();
    }
  }

  /** Asks the tool to stop. Does nothing once the tool has ended. */
  stop(kind: AbortKind, message: string): void {
    if (this.#concluding || (this.#stop && WEIGHT[this.#stop.kind] >= WEIGHT[kind])) return;
    const first = this.#stop === undefined;
    const reason = new ToolAborted(kind, message);
    this.#stop = reason;
    this.#gate.break(reason);
    if (first) {
      this.#abort.abort(reason);
      this.#graceTimer = setTimeout(() => this.#execution?.terminate(), this.#options.graceMs);
    }
    if (kind === 'fenced') this.#execution?.terminate();
    // Whether the log took it shows in the end event's own append.
    if (kind === 'cancel') this.#log.append('tool.cancel_acknowledged.v1', {}).catch(() => {});
  }

  async #execute(): Promise<{ ok: true; result: Json } | { ok: false; thrown: unknown }> {
    const { job, attempt, tool, runner } = this.#options;
    try {
      if (!tool) throw unserved(job);
      const args = await this.#stores.resolve(job.arguments);
      this.#gate.check();
      const { app, run, index, call_id, name } = job;
      const checkpoint = job.checkpoint === undefined ? {} : { checkpoint: await this.#stores.resolve(job.checkpoint) };
      this.#execution = runner.start({
        tool,
        args,
        call: { app, run, index, call_id, tool: name, attempt, traceparent: job.traceparent, ...checkpoint },
        host: this.#host,
        signal: this.#abort.signal,
      });
      return { ok: true, result: await this.#execution.result };
    } catch (thrown) {
      return { ok: false, thrown };
    }
  }

  async #conclude(outcome: { ok: true; result: Json } | { ok: false; thrown: unknown }): Promise<AttemptEnd> {
    const { job } = this.#options;
    const metrics = this.#metrics();
    const kind = this.#stop?.kind;
    if (kind === 'cancel') return this.#end('tool.cancelled.v1', { metrics });
    if (kind === 'timeout') {
      const error = { code: 'timeout', message: this.#stop?.message ?? 'timeout' };
      return this.#end('tool.failed.v1', { error, retryable: job.idempotent, metrics });
    }
    // Work that was finished although it was asked to stop is not thrown away.
    if (outcome.ok) {
      try {
        return await this.#end('tool.succeeded.v1', { result: await this.#stores.fit(outcome.result), metrics });
      } catch (error) {
        const message = `The result could not be stored: ${(error as Error).message}`;
        return this.#fail({ error: { code: 'result_too_large', message }, retryable: job.idempotent }, metrics);
      }
    }
    if (kind === 'drain' || kind === 'paused') return this.#end('tool.released.v1', { reason: kind });
    const request = await this.#requestIn(outcome.thrown);
    if (request) return this.#end('tool.released.v1', { reason: 'input', request });
    return this.#fail(failureOf(outcome.thrown, job.idempotent), metrics);
  }

  /** What the tool asks a person, if that is why it ended. */
  async #requestIn(thrown: unknown): Promise<EventData<'tool.released.v1'>['request']> {
    const request = inputRequestOf(thrown);
    if (request?.schema === undefined) return request;
    return { ...request, schema: await this.#fitDetails(request.schema) };
  }

  async #fail({ error, retryable }: Failure, metrics: ToolMetrics): Promise<AttemptEnd> {
    const details = error.details === undefined ? {} : { details: await this.#fitDetails(error.details) };
    return this.#end('tool.failed.v1', { error: { ...error, ...details }, retryable, metrics });
  }

  async #fitDetails(details: Json): Promise<Json> {
    try {
      return await this.#stores.fit(details);
    } catch {
      return 'The details could not be stored.';
    }
  }

  async #end<T extends EventType>(type: T, data: EventData<T>): Promise<AttemptEnd> {
    try {
      await this.#log.end(type, data);
      const end = type.slice('tool.'.length, type.lastIndexOf('.'));
      const { job, queueMs, onMeasured } = this.#options;
      onMeasured({ tool: job.name, end, durationMs: this.#activeMs(), queueMs });
      return 'ended';
    } catch (error) {
      if (isConflict(error) || error instanceof ToolAborted) return 'fenced';
      throw error;
    }
  }

  /** Since the claim, time held by a pause outside. */
  #activeMs(): number {
    return Math.max(0, Math.round(performance.now() - this.#startedAt - this.#heldMs));
  }

  #metrics(): ToolMetrics {
    const { memoryPeakBytes: memory, cpuMs } = this.#execution?.usage() ?? {};
    return {
      duration_ms: this.#activeMs(),
      queue_ms: this.#options.queueMs,
      ...(memory === undefined ? {} : { memory_peak_bytes: Math.round(memory) }),
      ...(cpuMs === undefined ? {} : { cpu_ms: Math.max(0, Math.round(cpuMs)) }),
      ...this.#host.counts,
    };
  }

  #onVerdict(verdict: Verdict): void {
    if (verdict === 'cancel') this.stop('cancel', 'The call was cancelled.');
    else if (verdict === 'pause') this.#gate.close();
    else this.#gate.open();
  }

  /**
   * Held, the tool's clock stands still. One that may run again, or that stands at a checkpoint from which another attempt
   * goes on, is handed back after a while, so that its slot is free.
   */
  #onHeld(held: boolean): void {
    if (held) {
      this.#deadline.stop();
      this.#heldSince = performance.now();
      const handBack = () => {
        if (!this.isIdempotent && !this.#gate.standsAtCheckpoint) return;
        this.stop('paused', 'The run is paused; the call is handed back.');
      };
      this.#holdTimer = setTimeout(handBack, this.#options.pauseHoldMs);
    } else {
      clearTimeout(this.#holdTimer);
      this.#heldMs += performance.now() - (this.#heldSince ?? performance.now());
      this.#heldSince = undefined;
      if (!this.#stop && !this.#concluding) this.#deadline.start();
    }
  }

  #leaveNothing(): void {
    this.#deadline.stop();
    clearTimeout(this.#graceTimer);
    this.#gate.break(ENDED);
    clearTimeout(this.#holdTimer);
    this.#log.close(ENDED);
    this.#spill.discard();
  }
}

const unserved = (job: Job): ToolFailure =>
  new ToolFailure({
    code: 'unknown_tool',
    message: `This executor serves no tool named ${JSON.stringify(job.name)} in pool ${job.pool}.`,
    // Another executor of the pool may: pools are not updated in one instant.
    retryable: true,
  });
