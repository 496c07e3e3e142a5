import { isDeadOf } from '@toolstream/domain';
import type { Delivered } from '@toolstream/event-log';
import type { DeadLetter, Job } from '@toolstream/proto-events';
import type { Logger } from '@toolstream/service-kit';
import { z } from 'zod';
import type { DeadJobs, DeadLetters, Present } from '../ports.ts';
import type { CatchUp } from '../runs/catch-up.ts';
import type { Decisions } from '../runs/decisions.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { BusyError } from './errors.ts';

const advisory = z.object({
  type: z.string(),
  stream_seq: z.number().int().min(1),
  deliveries: z.number().int().optional(),
  reason: z.string().optional(),
});

export interface AdvisoryParts {
  readonly jobs: DeadJobs;
  readonly letters: DeadLetters;
  readonly runs: LiveRuns;
  readonly decisions: Decisions;
  readonly catchUp: CatchUp;
  readonly present: Present;
  readonly logger: Logger;
}

/**
 * Jobs that were delivered too often: the server stops delivering them and keeps them for ever. The tool call is ended,
 * the job kept aside for whoever looks into it, and taken out of its queue; in this order, so that a crash in between
 * repeats steps and loses none.
 */
export class Advisories {
  readonly #parts: AdvisoryParts;

  constructor(parts: AdvisoryParts) {
    this.#parts = parts;
  }

  async handle(message: Delivered): Promise<void> {
    const { jobs, letters, logger } = this.#parts;
    const told = parsed(message);
    if (!told) {
      logger.error({ seq: message.seq, subject: message.subject }, 'an advisory is not understood; dropped');
      return;
    }
    const job = await jobs.find(told.stream_seq);
    if (!job) {
      // A terminated job is gone at once. Its tool call still waits for it, and the sweep sends it out anew.
      logger.warn(
        { jobSeq: told.stream_seq, reason: told.reason },
        'a dead job is not in its queue any more, or is none',
      );
      await jobs.remove(told.stream_seq);
      return;
    }
    const dead = this.#describe(job, told);
    const ended = await this.#endTool(dead);
    if (ended) await letters.keep({ ...dead, started: ended.started });
    await jobs.remove(told.stream_seq);
    logger.warn({ run: job.run, job: job.job_id, deliveries: dead.deliveries }, 'a job was delivered too often');
  }

  #describe(job: Job, told: z.infer<typeof advisory>): DeadLetter {
    const deliveries = told.deliveries ?? 0;
    const reason = told.type.includes('terminated') ? 'terminated' : 'max_deliveries';
    const message =
      reason === 'terminated'
        ? `The job was given up by its executor: ${(told.reason ?? 'no reason given').slice(0, 1000)}.`
        : `The job was delivered ${deliveries} times and never came to an end.`;
    return { job, reason, message, deliveries, at: this.#parts.present.now() };
  }

  /** Whether an attempt had begun, if the job is what ended its tool call: by this handling or an interrupted one before. */
  async #endTool({ job, message }: DeadLetter): Promise<{ started: boolean } | undefined> {
    const { runs, catchUp, decisions } = this.#parts;
    return runs.with(job.run, async (run) => {
      await catchUp.read(run, job);
      const outcome = await decisions.carryOut(run, {
        type: 'dead_letter',
        index: job.index,
        dispatch: job.dispatch,
        message,
      });
      if (outcome.kind === 'unknown') return undefined;
      if (outcome.kind === 'busy') throw new BusyError(job.run);
      await decisions.carryOut(run, { type: 'advance' }, { leavesToOthers: true });
      const tool = run.view?.tools[job.index];
      return tool && isDeadOf(tool, job.dispatch) ? { started: tool.claimed_dispatch === job.dispatch } : undefined;
    });
  }
}

function parsed(message: Delivered): z.infer<typeof advisory> | undefined {
  try {
    return advisory.parse(JSON.parse(message.text()));
  } catch {
    return undefined;
  }
}
