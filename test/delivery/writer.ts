import { type Draft, type Recorded, toEvent } from '@toolstream/domain';
import { type PlannedTool, partitionOfRun, type RunAddress, type RunPlan } from '@toolstream/proto-events';
import { ulid } from 'ulid';
import { type Random, sleep } from './random.ts';
import type { Store } from './store.ts';
import type { Truth } from './truth.ts';

export interface RunPlanned {
  readonly run: string;
  readonly tools: number;
  readonly ordering: 'sequential' | 'parallel';
  /** Progress and output events per tool. */
  readonly steps: number;
  /** Longest pause between two of them; 0 is a burst. */
  readonly paceMs: number;
  readonly outputBytes: number;
  readonly startMs: number;
  /** What becomes of the run when its stream is made anew. */
  readonly whenRecreated: 'restored' | 'lost';
  /** When it has ended, everything but its last event is purged. */
  readonly purgedAtEnd: boolean;
}

/** One run's legal history, written through the real log as the orchestrator and the attempts would. */
export class RunWriter {
  readonly address: RunAddress;
  readonly plan: RunPlanned;
  readonly #store: Store;
  readonly #truth: Truth;
  readonly #random: Random;
  #lasts = new Map<'run' | number, number>();
  /** Subjects on which more will be appended: their last event must stay. */
  readonly #open = new Set<'run' | number>(['run']);
  #written: { recorded: Recorded; writer: 'run' | number }[] = [];
  #epoch: string;
  #restoring: Promise<void> | undefined;
  #runSubject: Promise<unknown> = Promise.resolve();
  #stopped = false;

  constructor(store: Store, truth: Truth, random: Random, address: RunAddress, plan: RunPlanned) {
    this.#store = store;
    this.#truth = truth;
    this.#random = random;
    this.address = address;
    this.plan = plan;
    this.#epoch = store.epochOf(plan.run);
    truth.addRun(plan.run);
  }

  get partition(): number {
    return partitionOfRun(this.plan.run)!;
  }

  /** Everything below may be purged: no subject that is still written loses its last event, nor the run all of them. */
  get purgeable(): number {
    if (this.#epoch !== this.#store.epochOf(this.plan.run) || this.#restoring !== undefined) return 0;
    const open = [...this.#open].map((writer) => this.#lasts.get(writer)).filter((seq) => seq !== undefined);
    return open.length === 0 ? (this.#written.at(-1)?.recorded.seq ?? 0) : Math.min(...open);
  }

  /** The whole history, to its end; returns early when the run is lost with its stream. */
  async write(): Promise<void> {
    const { startMs, tools, ordering } = this.plan;
    await sleep(startMs);
    await this.#append({ type: 'run.accepted.v1', data: planOf(this.plan), writer: 'run', actor: 'ann' });
    await this.#append({ type: 'run.started.v1', data: {}, writer: 'run' });
    const indices = Array.from({ length: tools }, (_, index) => index);
    if (ordering === 'parallel') await Promise.all(indices.map((index) => this.#tool(index)));
    else for (const index of indices) await this.#tool(index);
    const summary = { total: tools, successful: tools, failed: 0, cancelled: 0, skipped: 0 };
    const counted = { duration_ms: 1, files_created: 0, lines_written: 0 };
    const failed = this.#random.chance(0.2);
    const data = { summary: { ...summary, ...counted } };
    if (failed) {
      const error = { code: 'tool_failed', message: 'A call failed.' };
      await this.#append({ type: 'run.failed.v1', data: { ...data, error }, writer: 'run' });
    } else await this.#append({ type: 'run.succeeded.v1', data, writer: 'run' });
    this.#open.delete('run');
    if (this.plan.purgedAtEnd && !this.#stopped) await this.#store.purgeRun(this.address, () => this.purgeable);
  }

  async #tool(index: number): Promise<void> {
    const random = this.#random.fork(index);
    let failures = 0;
    for (let attempt = 1; ; attempt++) {
      if (random.chance(0.15)) await this.#pause(random);
      const cause = attempt === 1 ? 'first' : 'retry';
      const queued = { dispatch: attempt, tool_seq: this.#lasts.get(index) ?? 0, cause } as const;
      await this.#append({ type: 'tool.queued.v1', data: queued, writer: 'run', toolindex: index });
      const place = { writer: index, toolindex: index, attempt };
      const started = { dispatch: attempt, executor: 'executor-1', queue_ms: 1 };
      this.#open.add(index);
      await this.#append({ type: 'tool.started.v1', data: started, ...place });
      await this.#steps(place, random);
      if (failures === 0 && random.chance(0.2)) {
        failures++;
        const error = { code: 'tool_error', message: 'It went wrong.' };
        await this.#append({ type: 'tool.failed.v1', data: { error, retryable: true }, ...place });
        const due = { failures, delay_ms: 1, due_at: new Date().toISOString() };
        await this.#append({ type: 'tool.retry_scheduled.v1', data: due, writer: 'run', toolindex: index });
        continue;
      }
      const metrics = { duration_ms: 1 };
      await this.#append({ type: 'tool.succeeded.v1', data: { result: { ok: true }, metrics }, ...place });
      this.#open.delete(index);
      return;
    }
  }

  async #steps(place: { writer: number; toolindex: number; attempt: number }, random: Random): Promise<void> {
    const { steps, paceMs, outputBytes } = this.plan;
    for (let step = 1; step <= steps && !this.#stopped; step++) {
      const kind = random.next();
      if (kind < 0.6) {
        const data = {
          stage: random.chance(0.9) ? 'working' : 'checking',
          message: `step ${step}`,
          progress: Math.round((step * 100) / steps),
        };
        await this.#append({ type: 'tool.progressed.v1', data, ...place });
      } else if (kind < 0.95) {
        const text = `${place.toolindex}/${step} `.padEnd(random.int(1, outputBytes), 'x→');
        const channel = random.chance(0.8) ? 'stdout' : 'stderr';
        await this.#append({ type: 'tool.output.v1', data: { channel, text }, ...place });
      } else {
        await this.#append({ type: 'tool.checkpointed.v1', data: { state: { step } }, ...place });
      }
      if (paceMs > 0) await sleep(random.int(0, paceMs));
    }
  }

  async #pause(random: Random): Promise<void> {
    await this.#append({ type: 'run.paused.v1', data: { reason: 'lunch' }, writer: 'run', actor: 'ann' });
    await sleep(random.int(0, 20));
    await this.#append({ type: 'run.resumed.v1', data: {}, writer: 'run', actor: 'ann' });
  }

  async #append(draft: Draft): Promise<void> {
    if (draft.writer !== 'run') return this.#place(draft);
    // One append in flight per subject.
    const mine = this.#runSubject.then(() => this.#place(draft));
    this.#runSubject = mine.catch(() => {});
    await mine;
  }

  async #place(draft: Draft): Promise<void> {
    const { run, tenant, app } = this.address;
    const stamp = { id: ulid(), source: 'toolstream/test', at: new Date().toISOString() };
    const event = toEvent(draft, { run_id: run, tenant, app }, stamp);
    await this.#store.undisturbed(async () => {
      await this.#followStream();
      if (this.#stopped) return;
      const seq = await this.#store.append(this.address, event, this.#lasts.get(draft.writer) ?? 0);
      this.#keep({ event, seq }, draft.writer);
    });
  }

  #keep(recorded: Recorded, writer: 'run' | number): void {
    this.#lasts.set(writer, recorded.seq);
    this.#written.push({ recorded, writer });
    this.#truth.record(this.plan.run, this.#epoch, recorded);
  }

  async #followStream(): Promise<void> {
    if (this.#epoch !== this.#store.epochOf(this.plan.run)) {
      this.#restoring ??= this.#recreated().finally(() => {
        this.#restoring = undefined;
      });
    }
    await this.#restoring;
  }

  /** The stream is another one: what was written is written again, as from a backup, or the run is over. */
  async #recreated(): Promise<void> {
    const { run, whenRecreated } = this.plan;
    this.#epoch = this.#store.epochOf(run);
    this.#store.forget(run);
    const before = this.#written.sort((a, b) => a.recorded.seq - b.recorded.seq);
    this.#written = [];
    this.#lasts = new Map();
    if (whenRecreated === 'lost' && before.length > 0) {
      this.#stopped = true;
      this.#truth.lose(run);
      return;
    }
    for (const { recorded, writer } of before) {
      const seq = await this.#store.append(this.address, recorded.event, this.#lasts.get(writer) ?? 0);
      this.#keep({ event: recorded.event, seq }, writer);
    }
  }

  /** After the end: writes again into a stream that was made anew since. */
  async settle(): Promise<void> {
    await this.#store.undisturbed(() => this.#followStream());
  }
}

export function planOf({ tools, ordering }: Pick<RunPlanned, 'tools' | 'ordering'>): RunPlan {
  return {
    ordering,
    priority: 'normal',
    timeout_ms: 3_600_000,
    max_age_ms: 14 * 86_400_000,
    request_hash: 'hash',
    tools: Array.from({ length: tools }, (_, index) => plannedTool(index)),
  };
}

function plannedTool(index: number): PlannedTool {
  return {
    index,
    call_id: `call_${index}`,
    name: 'echo',
    description: 'Says it again.',
    pool: 'default',
    arguments: {},
    depends_on: [],
    timeout_ms: 60_000,
    retries: { max_attempts: 3, initial_ms: 0, factor: 1, max_ms: 0 },
    idempotent: true,
    isolation: 'inline',
    approval_policy: 'never',
    destructive: false,
    estimated_duration_ms: 10,
  };
}
