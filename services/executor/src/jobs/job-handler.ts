import { type EventLog, isRetryable } from '@toolstream/event-log';
import { type Isolation, type Job, job as jobSchema } from '@toolstream/proto-events';
import { inSpan, type Logger, type Tracer } from '@toolstream/service-kit';
import { z } from 'zod';
import type { StoresFor } from '../adapters/stores.ts';
import type { ControlWatch } from '../control/control-watch.ts';
import type { LoadedTool, ToolRunner } from '../isolation/runner.ts';
import type { ExecutorMetrics, JobOutcome } from '../metrics.ts';
import type { Delivery } from '../poller/delivery.ts';
import { Attempt, type AttemptEnd } from './attempt.ts';
import { claimJob } from './claim.ts';
import { Turns } from './turns.ts';

export interface JobHandlerOptions {
  readonly log: EventLog;
  readonly tools: ReadonlyMap<string, LoadedTool>;
  readonly runners: Readonly<Record<Isolation, ToolRunner>>;
  readonly storesFor: StoresFor;
  readonly control: ControlWatch;
  readonly logger: Logger;
  readonly instance: string;
  readonly progressHz: number;
  readonly graceMs: number;
  readonly pauseHoldMs: number;
  readonly metrics: ExecutorMetrics;
  readonly tracer?: Tracer | undefined;
}

interface HeldJob {
  readonly job: Job;
  /** The newest delivery: beats and the acknowledgement go to it. */
  delivery: Delivery;
  attempt: Attempt | undefined;
}

const decoder = new TextDecoder();

/** The jobs that this executor holds: claims them, runs their attempts, keeps their leases, answers for them. */
export class JobHandler {
  readonly #options: JobHandlerOptions;
  readonly #held = new Map<string, HeldJob>();
  readonly #source: string;
  readonly #turns = new Turns();
  #handingBack = false;

  constructor(options: JobHandlerOptions) {
    this.#options = options;
    this.#source = `toolstream/${options.instance}`;
  }

  get held(): number {
    return this.#held.size;
  }

  /** Resolves when the job needs no slot any more. Never rejects. */
  async handle(delivery: Delivery): Promise<JobOutcome> {
    const job = this.#parse(delivery);
    if (!job) return this.#done('malformed');
    const known = this.#held.get(job.job_id);
    if (known) return this.#done(this.#meetAgain(known, delivery));
    const held: HeldJob = { job, delivery, attempt: undefined };
    this.#held.set(job.job_id, held);
    try {
      return this.#done(await this.#inTurn(held));
    } catch (error) {
      // Not acknowledged: the lease runs out and the job is delivered again, here or elsewhere.
      this.#options.logger.error({ error, job: job.job_id, retryable: isRetryable(error) }, 'left a job to its lease');
      return this.#done('left');
    } finally {
      this.#held.delete(job.job_id);
    }
  }

  #meetAgain(known: HeldJob, delivery: Delivery): JobOutcome {
    if (known.delivery.info.streamSeq !== delivery.info.streamSeq) {
      // A second copy of the job: the first one is being worked on.
      delivery.ack();
      return 'settled';
    }
    // The lease lapsed (the process or the connection stood still) but the attempt lives: it answers for this delivery
    // too. Taking it over from ourselves would only throw its work away.
    known.delivery = delivery;
    delivery.working();
    return 'left';
  }

  /** Tells the server that every held job is being worked on. Independent of what the tools do. */
  beat(): void {
    for (const held of this.#held.values()) held.delivery.working();
  }

  /** Stops and hands back what may run again elsewhere. */
  handBack(): void {
    this.#handingBack = true;
    this.#turns.close();
    for (const { attempt } of this.#held.values()) if (attempt) handBack(attempt);
  }

  /** Ends what still runs without a word: to the log it is lost, and what that means depends on the tool. */
  abandon(): void {
    for (const { attempt } of this.#held.values()) attempt?.stop('fenced', 'The executor has shut down.');
  }

  async #inTurn(held: HeldJob): Promise<JobOutcome> {
    const { name } = held.job;
    const limit = this.#options.tools.get(name)?.tool.concurrency;
    if (!(await this.#turns.enter(name, limit))) {
      // Never begun here: at once for another executor.
      held.delivery.nak(0);
      return 'left';
    }
    try {
      return await this.#claimAndRun(held);
    } finally {
      this.#turns.leave(name, limit);
    }
  }

  async #claimAndRun(held: HeldJob): Promise<JobOutcome> {
    const { job } = held;
    const { log, instance, tools, runners, storesFor, control, logger, metrics } = this.#options;
    const { progressHz, graceMs, pauseHoldMs } = this.#options;
    const deliveries = held.delivery.info.deliveries;
    const claim = await claimJob({ log, instance, source: this.#source }, job, deliveries);
    if (claim.kind !== 'claimed') {
      logger.debug({ job: job.job_id, deliveries, why: claim.why }, 'did not claim a job');
      if (claim.kind === 'settled') held.delivery.ack();
      return claim.kind;
    }
    const attempt = new Attempt({
      job,
      attempt: claim.attempt,
      seq: claim.seq,
      queueMs: claim.queueMs,
      tool: tools.get(job.name),
      runner: runners[job.isolation],
      log,
      source: this.#source,
      storesFor,
      control,
      logger,
      progressHz,
      graceMs,
      pauseHoldMs,
      onMeasured: (measured) => metrics.attempt(measured),
    });
    held.attempt = attempt;
    if (this.#handingBack) handBack(attempt);
    const end = await this.#traced(job, claim.attempt, () => attempt.run());
    // The acknowledgement is not waited for. If it is lost, the job comes again, finds the attempt's end in the log and
    // is acknowledged then: waiting would cost every call a round trip and prove nothing that the log does not prove.
    if (end === 'ended') held.delivery.ack();
    return end;
  }

  #traced(job: Job, attempt: number, work: () => Promise<AttemptEnd>): Promise<AttemptEnd> {
    const { tracer } = this.#options;
    if (!tracer) return work();
    const attributes = { run: job.run, index: job.index, tool: job.name, attempt };
    return inSpan(tracer, `attempt ${job.name}`, { traceparent: job.traceparent, attributes }, work);
  }

  #parse(delivery: Delivery): Job | undefined {
    try {
      return jobSchema.parse(JSON.parse(decoder.decode(delivery.data)));
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      this.#options.logger.error({ reason, seq: delivery.info.streamSeq }, 'not a job: gave it up');
      delivery.term(`not a job: ${reason}`);
      return undefined;
    }
  }

  #done(outcome: JobOutcome): JobOutcome {
    this.#options.metrics.job(outcome);
    return outcome;
  }
}

function handBack(attempt: Attempt): void {
  if (attempt.isIdempotent) attempt.stop('drain', 'The executor is shutting down; the call is handed back.');
}
