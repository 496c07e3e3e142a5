import { createHash } from 'node:crypto';
import { callsToRedrive, commandEventId, isDeadOf, since } from '@toolstream/domain';
import {
  type DeadLetter,
  isRunEnded,
  type RedriveDeadLetter,
  type Redriven,
  type RedriveReply,
  type RunState,
  redriveDeadLetter,
  type SubmitReply,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { DeadLetters, KeptDeadLetter, Present, RunLog } from '../ports.ts';
import type { CatchUp } from '../runs/catch-up.ts';
import { type Decisions, partitionOf } from '../runs/decisions.ts';
import type { LiveRun } from '../runs/live-run.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { busy, malformed, type Refused, refused, refusedByBucket, refusedByLog } from './refusals.ts';

export interface RedriveParts {
  readonly log: RunLog;
  readonly runs: LiveRuns;
  readonly decisions: Decisions;
  readonly catchUp: CatchUp;
  readonly letters: DeadLetters;
  readonly submit: (body: unknown) => Promise<SubmitReply>;
  readonly present: Present;
  readonly logger: Logger;
}

type Again = Pick<Redriven, 'as' | 'run_id' | 'cursor'>;
type Attempted =
  | { readonly ok: true; readonly again: Again }
  | Refused
  /** The run takes no retry any more; `state` is what is known of it. */
  | { readonly ended: true; readonly state: RunState | undefined };

/**
 * Runs the call of a dead letter again. While its run is live that is a retry of the call; once it has ended, a new run of the
 * call and of what was skipped for its sake, because an end is final. Both have an id made of the dead letter's, so that a
 * redrive that is repeated, by whoever and after whatever crash, finds the first one and is answered with it.
 */
export class Redrive {
  readonly #parts: RedriveParts;

  constructor(parts: RedriveParts) {
    this.#parts = parts;
  }

  async handle(body: unknown): Promise<RedriveReply> {
    const parsed = redriveDeadLetter.safeParse(body);
    if (!parsed.success) return malformed(parsed.error);
    const request = parsed.data;
    const { letters, logger, present } = this.#parts;
    try {
      const kept = await letters.get(request.tenant, request.id);
      if (!kept) return refused('not_found', `There is no dead letter ${request.id}: they are kept for 30 days.`);
      const before = kept.letter.redriven;
      if (before) return { ok: true, replayed: true, redriven: before };
      const attempted = await this.#again(request, kept);
      if (!attempted.ok) return attempted;
      const { actor, reason } = request;
      const mine: Redriven = {
        at: present.now(),
        actor,
        ...(reason === undefined ? {} : { reason }),
        ...attempted.again,
      };
      const redriven = await letters.mark(kept, mine);
      logger.info({ actor, job: request.id, as: redriven.as, run: redriven.run_id }, 'a dead letter was redriven');
      return { ok: true, replayed: redriven !== mine, redriven };
    } catch (error) {
      logger.warn({ error: asError(error), job: request.id }, 'a redrive was not carried through');
      return refusedByBucket(error) ?? refusedByLog(error);
    }
  }

  async #again(request: RedriveDeadLetter, { letter }: KeptDeadLetter): Promise<{ ok: true; again: Again } | Refused> {
    const attempted = await this.#retry(request, letter);
    return 'ended' in attempted ? this.#newRun(request, letter, attempted.state) : attempted;
  }

  async #retry(request: RedriveDeadLetter, { job }: DeadLetter): Promise<Attempted> {
    const { log, runs } = this.#parts;
    if (partitionOf(job.run) >= log.partitions) return { ended: true, state: undefined };
    return runs.with(job.run, (run) => this.#retryIn(run, request, job), { urgent: true });
  }

  async #retryIn(run: LiveRun, request: RedriveDeadLetter, job: DeadLetter['job']): Promise<Attempted> {
    const { log, decisions, catchUp } = this.#parts;
    const { actor, reason } = request;
    await catchUp.read(run, job);
    const { index, dispatch, job_id } = job;
    const command = { type: 'retry_tool', index, dead: dispatch, id: `redrive_${job_id}`, actor, reason } as const;
    const outcome = await decisions.carryOut(run, command);
    const state = run.view;
    if (outcome.kind === 'unknown' || !state) return { ended: true, state: undefined };
    if (outcome.kind === 'done') {
      await decisions.carryOut(run, { type: 'advance' }, { leavesToOthers: true });
      const seq = state.commands[commandEventId(command.id)] ?? outcome.seq ?? state.seq;
      return { ok: true, again: { as: 'retry', run_id: job.run, cursor: log.cursor(partitionOf(job.run), seq) } };
    }
    if (outcome.kind !== 'rejected') return busy();
    const { code, message } = outcome.rejection;
    if (code !== 'run_ended') return refused(code, message);
    if (!isRunEnded(state.status)) return refused(code, `${message} Once it has ended, a redrive makes a new run.`);
    const tool = state.tools[index];
    return tool && isDeadOf(tool, dispatch)
      ? { ended: true, state }
      : refused('tool_ended', tool ? since(tool) : message);
  }

  async #newRun(
    request: RedriveDeadLetter,
    { job }: DeadLetter,
    state: RunState | undefined,
  ): Promise<{ ok: true; again: Again } | Refused> {
    const { index, call_id, name, timeout_ms, job_id } = job;
    const { traceparent } = request;
    const reply = await this.#parts.submit({
      tenant: job.tenant,
      actor: request.actor,
      ...(traceparent === undefined ? {} : { traceparent }),
      app: job.app,
      mode: 'parallel',
      priority: job.priority,
      ...(state?.message_id === undefined ? {} : { message_id: state.message_id }),
      calls: callsToRedrive(state, { index, call_id, name, arguments: job.arguments, timeout_ms }),
      request_hash: createHash('sha256').update(`redrive/${job_id}`).digest('hex'),
      idempotency_key: `redrive/${job_id}`,
      rerun_of: job.run,
    });
    if (!reply.ok) return reply;
    return { ok: true, again: { as: 'new_run', run_id: reply.run.run_id, cursor: reply.run.cursor } };
  }
}
