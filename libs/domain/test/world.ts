import {
  isRunEnded,
  type Job,
  type PlannedTool,
  type RunPlan,
  type RunState,
  type ToolstreamEvent,
  writerOf,
} from '@toolstream/proto-events';
import { type Command, type Draft, decide, evolve, fold, type Recorded, react, toEvent } from '../src/index.ts';
import { at, event, plan, plannedTool, RUN } from './given.ts';

/** An attempt as an executor holds it: what it believes is the last event of its tool's subject. */
interface Attempt {
  readonly job: Job;
  readonly number: number;
  tail: number;
}

/**
 * A log with fences, an orchestrator that may look at the past, and executors that may be zombies: every actor follows
 * its rules, in whatever order and as often as the test says. Nothing here knows the fold's rules.
 */
export class World {
  readonly log: Recorded[] = [];
  readonly jobs: { job: Job; deliveries: number; acked: boolean }[] = [];
  readonly attempts: Attempt[] = [];
  clock = 0;
  #ids = 0;

  constructor(over: Partial<RunPlan> = {}) {
    this.#store(event('run.accepted.v1', plan(over)));
  }

  state(behind = 0): RunState {
    const visible = Math.max(1, this.log.length - behind);
    return fold(this.log.slice(0, visible))!;
  }

  lastSeq(writer: 'run' | number): number {
    return this.log.findLast((r) => writerOf(r.event) === writer)?.seq ?? 0;
  }

  #store(e: ToolstreamEvent): number {
    const seq = (this.log.at(-1)?.seq ?? 0) + 1;
    this.log.push({ event: e, seq });
    return seq;
  }

  /** The fence: appended only where the writer knew the subject's last sequence. */
  append(e: ToolstreamEvent, expected: number): number | undefined {
    return this.lastSeq(writerOf(e)) === expected ? this.#store(e) : undefined;
  }

  /**
   * An orchestrator decides on a view that may be `behind` by some events, and appends until a fence stops it. Returns what a
   * caller is answered with; `undefined` when it is refused or must try again.
   */
  command(command: Command, behind = 0): number | undefined {
    let view = this.state(behind);
    const decision = decide(command, view, { at: at(this.clock), random: 0.5 });
    if (!decision.ok) return undefined;
    let first: number | undefined;
    for (const draft of decision.drafts) {
      const e = toEvent(draft as Draft, view, { id: `o${this.#ids++}`, source: 'o', at: at(this.clock) });
      const writer = writerOf(e);
      const seq = this.append(e, writer === 'run' ? view.run_seq : view.tools[writer]!.tool_seq);
      if (seq === undefined) return undefined;
      first ??= seq;
      view = evolve(view, { event: e, seq })!;
      for (const effect of react(view, e)) {
        if (effect.type === 'job') this.jobs.push({ job: effect.job, deliveries: 0, acked: false });
      }
    }
    return decision.seq ?? first;
  }

  /** D4's claim: a first delivery claims with the job's sequence, a later one reads the subject first. */
  deliver(which: number): void {
    const waiting = this.jobs.filter((j) => !j.acked);
    const slot = waiting[which % Math.max(1, waiting.length)];
    if (!slot) return;
    slot.deliveries += 1;
    const { job } = slot;
    const last = this.log.findLast((r) => writerOf(r.event) === job.index);
    let expected = job.tool_seq;
    let number = job.attempt;
    if (slot.deliveries > 1 && last && last.seq !== job.tool_seq) {
      const mine = this.attempts.some((a) => a.job.job_id === job.job_id && a.number === last.event.attempt);
      const over = !['tool.started.v1', 'tool.progressed.v1', 'tool.cancel_acknowledged.v1'].includes(last.event.type);
      if (over || !mine) {
        slot.acked = true;
        return;
      }
      expected = last.seq;
      number = (last.event.attempt ?? 0) + 1;
      if (!job.idempotent) {
        this.append(this.#of(job, number - 1, 'tool.released.v1', { reason: 'lost' }), expected);
        slot.acked = true;
        return;
      }
    }
    const seq = this.append(
      this.#of(job, number, 'tool.started.v1', { dispatch: job.dispatch, executor: 'x', queue_ms: 0 }),
      expected,
    );
    if (seq === undefined) slot.acked = slot.deliveries === 1 ? true : slot.acked;
    else this.attempts.push({ job, number, tail: seq });
  }

  /** Any attempt, the replaced ones too, tries to append. `ack` says whether its ack arrives. */
  attempt(
    which: number,
    type: 'progress' | 'succeed' | 'fail' | 'fail-retryable' | 'cancel' | 'drain',
    ack: boolean,
  ): void {
    const attempt = this.attempts[which % Math.max(1, this.attempts.length)];
    if (!attempt) return;
    const e = this.#ofAttempt(attempt, type);
    const seq = this.append(e, attempt.tail);
    if (seq === undefined) return;
    attempt.tail = seq;
    const slot = this.jobs.find((j) => j.job.job_id === attempt.job.job_id && !j.acked);
    if (type !== 'progress' && ack && slot) slot.acked = true;
    if (type !== 'progress') attempt.tail = -1;
  }

  #ofAttempt({ job, number }: Attempt, type: Parameters<World['attempt']>[1]): ToolstreamEvent {
    const error = { code: 'tool_error', message: 'no' };
    switch (type) {
      case 'progress':
        return this.#of(job, number, 'tool.progressed.v1', { stage: 's' });
      case 'succeed':
        return this.#of(job, number, 'tool.succeeded.v1', { result: 1, metrics: {} });
      case 'fail':
        return this.#of(job, number, 'tool.failed.v1', { error, retryable: false });
      case 'fail-retryable':
        return this.#of(job, number, 'tool.failed.v1', { error, retryable: true });
      case 'cancel':
        return this.#of(job, number, 'tool.cancelled.v1', {});
      case 'drain':
        return this.#of(job, number, 'tool.released.v1', { reason: 'drain' });
    }
  }

  #of(job: Job, attempt: number, type: ToolstreamEvent['type'], data: object): ToolstreamEvent {
    return event(
      ...([
        type,
        data,
        { tool: job.index, attempt, own: true, id: `x${this.#ids++}`, ms: this.clock },
      ] as unknown as Parameters<typeof event>),
    );
  }

  /** Fair play from here on: time passes, every job is delivered, every attempt succeeds, what waits is answered. */
  settle(): void {
    for (let round = 0; round < 200 && !isRunEnded(this.state().status); round++) {
      this.clock += 20_000;
      const id = `settle${round}`;
      this.command({ type: 'resume', id, actor: 'a' });
      for (const tool of this.state().tools) {
        if (tool.status === 'awaiting_approval')
          this.command({ type: 'approve_tool', index: tool.index, id: `${id}_${tool.index}`, actor: 'a' });
      }
      this.command({ type: 'advance' });
      const waiting = this.jobs.filter((j) => !j.acked).length;
      for (let i = 0; i < waiting; i++) this.deliver(i);
      this.attempts.forEach((_, i) => {
        this.attempt(i, 'succeed', true);
      });
      this.command({ type: 'advance' });
    }
  }
}

export const TOOL_SHAPES: Partial<PlannedTool>[] = [
  {},
  { idempotent: false },
  { approval_policy: 'always' },
  { rejection: { code: 'unknown_tool', message: 'no' } },
];
export const toolsOf = (shapes: readonly number[], graph: boolean): PlannedTool[] =>
  shapes.map((shape, index) =>
    plannedTool(index, {
      ...TOOL_SHAPES[shape]!,
      depends_on: graph && index > 0 && shape % 2 === 0 ? [index - 1] : [],
    }),
  );
export { RUN };
