import { planRun } from '@toolstream/domain';
import { isConflict, runIdOfKey, type StoredEvent } from '@toolstream/event-log';
import {
  type AcceptedRun,
  type EventOf,
  eventSubjectAttribute,
  type RequestedCall,
  type RunAddress,
  runSubject,
  type SubmitReply,
  type SubmitRun,
  submitRun,
} from '@toolstream/proto-events';
import { asError, type Logger } from '@toolstream/service-kit';
import type { ToolCatalog } from '../catalog/tool-catalog.ts';
import type { Present, RunLog } from '../ports.ts';
import { type Decisions, partitionOf } from '../runs/decisions.ts';
import type { LiveRun } from '../runs/live-run.ts';
import type { LiveRuns } from '../runs/live-runs.ts';
import { malformed, refused, refusedByLog } from './refusals.ts';
import { newRunId } from './run-ids.ts';
import type { Slots } from './slots.ts';

export interface SubmitParts {
  readonly log: RunLog;
  readonly runs: LiveRuns;
  readonly decisions: Decisions;
  readonly catalog: Pick<ToolCatalog, 'find' | 'estimate' | 'validate' | 'lookUp'>;
  readonly present: Present;
  readonly logger: Logger;
  readonly dispatches: Slots;
  readonly limits: { readonly timeoutMs: number; readonly maxAgeMs: number; readonly approvalTimeoutMs: number };
}

type Accepted = EventOf<'run.accepted.v1'>;

/**
 * Accepts a run: plans it, appends `run.accepted` behind nothing, answers, and sends the first jobs out. The answer waits
 * for the first event alone; whatever happens to this process after it, the reactor brings the run forward.
 */
export class Submit {
  readonly #parts: SubmitParts;

  constructor(parts: SubmitParts) {
    this.#parts = parts;
  }

  async handle(body: unknown): Promise<SubmitReply> {
    const parsed = submitRun.safeParse(body);
    if (!parsed.success) return malformed(parsed.error);
    const request = parsed.data;
    const { catalog, limits } = this.#parts;
    await catalog.lookUp(request.calls.map(({ name }) => name));
    // From JSON a field is there or not, never undefined.
    const calls = request.calls as readonly RequestedCall[];
    const { timeoutMs: timeout_ms, maxAgeMs: max_age_ms, approvalTimeoutMs: approval_timeout_ms } = limits;
    const planned = planRun({ ...request, calls, timeout_ms, max_age_ms, approval_timeout_ms }, catalog);
    if (!planned.ok) return refused(planned.rejection.code, planned.rejection.message);
    const event = this.#accepted(request, planned.plan);
    try {
      return await this.#append(request, event);
    } catch (error) {
      return refusedByLog(error);
    }
  }

  #accepted(request: SubmitRun, data: Accepted['data']): Accepted {
    const { log, present } = this.#parts;
    const { tenant, app, actor, traceparent, idempotency_key: key } = request;
    const run = key === undefined ? newRunId(log.partitions) : runIdOfKey({ tenant, app, key }, log.partitions);
    return {
      specversion: '1.0',
      id: present.eventId(),
      source: present.source,
      type: 'run.accepted.v1',
      time: present.now(),
      subject: eventSubjectAttribute(run, 'run'),
      datacontenttype: 'application/json',
      runid: run,
      tenant,
      app,
      actor,
      ...(traceparent === undefined ? {} : { traceparent }),
      data,
    };
  }

  async #append(request: SubmitRun, event: Accepted): Promise<SubmitReply> {
    const { runs, dispatches, logger } = this.#parts;
    await dispatches.take();
    const run = runs.hold(event.runid);
    const reply = Promise.withResolvers<SubmitReply>();
    void this.#accept(run, request, event, reply)
      .catch((error: unknown) => {
        reply.reject(error);
        logger.warn({ error: asError(error), run: run.id }, 'a run was not accepted, or its first jobs are late');
      })
      .finally(() => {
        runs.release(run);
        dispatches.give();
      });
    return reply.promise;
  }

  /** The run's lock is taken before the append, so that what its events cause here waits until the first jobs are out. */
  async #accept(
    run: LiveRun,
    request: SubmitRun,
    event: Accepted,
    reply: PromiseWithResolvers<SubmitReply>,
  ): Promise<void> {
    const { log, decisions } = this.#parts;
    const address = { tenant: event.tenant, app: event.app, run: event.runid };
    let unfinished = await run.lock.run(async () => {
      try {
        const seq = await log.append({ run: address, event, expected: 0 });
        reply.resolve({ ok: true, replayed: false, run: this.#answer(event, seq) });
        decisions.recorded(run, event, seq);
      } catch (error) {
        if (!isConflict(error)) throw error;
        reply.resolve(await this.#repeated(request, address, error.actual));
        return false;
      }
      return this.#dispatch(run);
    });
    while (unfinished) unfinished = await run.lock.run(() => this.#dispatch(run));
  }

  /** Returns true when it gave way to a command and is to go on after it. */
  async #dispatch(run: LiveRun): Promise<boolean> {
    const options = { yields: true, leavesToOthers: true };
    const outcome = await this.#parts.decisions.carryOut(run, { type: 'advance' }, options);
    return outcome.kind === 'left' && outcome.to === 'command';
  }

  /** There is a run of this key: the answer is what was answered then, if the same was asked. */
  async #repeated(request: SubmitRun, address: RunAddress, last: number | undefined): Promise<SubmitReply> {
    const first = await this.#firstEvent(address, last);
    if (first?.event().type !== 'run.accepted.v1') {
      return refused('busy', 'The run of this key is being removed; try again.', 1);
    }
    const accepted = first.event() as Accepted;
    if (accepted.data.request_hash !== request.request_hash) {
      return refused('idempotency_key_reused', 'This Idempotency-Key was used for a run with another body.');
    }
    return { ok: true, replayed: true, run: this.#answer(accepted, first.seq) };
  }

  async #firstEvent(address: RunAddress, last: number | undefined): Promise<StoredEvent | undefined> {
    const { log } = this.#parts;
    const filter = runSubject(address);
    for await (const stored of log.read(filter, { partition: partitionOf(address.run), from: 1, batch: 1 }))
      return stored;
    // A replica of the stream that lags behind the leader: read on to what the leader has.
    const events = await log.readRun(address, last === undefined ? {} : { through: last });
    return events.find(({ subject }) => subject === filter);
  }

  #answer({ runid, data }: Accepted, seq: number): AcceptedRun {
    return {
      run_id: runid,
      cursor: this.#parts.log.cursor(partitionOf(runid), seq),
      status: 'accepted',
      tools: data.tools.map(({ index, call_id, name, description, estimated_duration_ms }) => ({
        index,
        call_id,
        name,
        description,
        estimated_duration_ms,
      })),
    };
  }
}
