import { type Draft, fold, type Recorded, toEvent } from '@toolstream/domain';
import type { EventLog } from '@toolstream/event-log';
import type { PlannedTool, RunPlan, RunState } from '@toolstream/proto-events';
import { newUlid } from '@toolstream/service-kit';

export interface HandRunOptions {
  tenant?: string;
  app?: string;
  partition?: number;
  tools?: number;
  message_id?: string;
  arguments?: (index: number) => PlannedTool['arguments'];
}

/** A run that the test itself writes into the log, as the orchestrator and an attempt would. */
export class HandRun {
  readonly run: string;
  readonly tenant: string;
  readonly app: string;
  readonly #log: EventLog;
  readonly #plan: RunPlan;
  readonly #lasts = new Map<'run' | number, number>();

  constructor(log: EventLog, options: HandRunOptions = {}) {
    const { tenant = 't1', app = 'app-1', partition = 0, tools = 1, message_id } = options;
    this.run = `${partition}-${newUlid()}`;
    this.tenant = tenant;
    this.app = app;
    this.#log = log;
    this.#plan = {
      ordering: 'sequential',
      priority: 'normal',
      ...(message_id === undefined ? {} : { message_id }),
      timeout_ms: 3_600_000,
      max_age_ms: 14 * 86_400_000,
      request_hash: 'hash',
      tools: Array.from({ length: tools }, (_, index) => plannedTool(index, options.arguments?.(index) ?? {})),
    };
  }

  static async accept(log: EventLog, options: HandRunOptions = {}): Promise<HandRun> {
    const run = new HandRun(log, options);
    await run.append({ type: 'run.accepted.v1', data: run.#plan, writer: 'run', actor: 'user-1' });
    return run;
  }

  cursor(seq: number): string {
    return this.#log.cursor(Number(this.run.split('-')[0]), seq);
  }

  async append(draft: Draft): Promise<number> {
    const address = { tenant: this.tenant, app: this.app, run: this.run };
    const stamp = { id: newUlid(), source: 'toolstream/test', at: new Date().toISOString() };
    const event = toEvent(draft, { run_id: this.run, tenant: this.tenant, app: this.app }, stamp);
    const expected = this.#lasts.get(draft.writer) ?? 0;
    const seq = await this.#log.append({ run: address, event, expected });
    this.#lasts.set(draft.writer, seq);
    return seq;
  }

  start(): Promise<number> {
    return this.append({ type: 'run.started.v1', data: {}, writer: 'run' });
  }

  async startTool(index: number): Promise<number> {
    const tool_seq = this.#lasts.get(index) ?? 0;
    await this.append({
      type: 'tool.queued.v1',
      data: { dispatch: 1, tool_seq, cause: 'first' },
      writer: 'run',
      toolindex: index,
    });
    const data = { dispatch: 1, executor: 'test', queue_ms: 0 };
    return this.append({ type: 'tool.started.v1', data, writer: index, toolindex: index, attempt: 1 });
  }

  progress(index: number, progress: number, message = 'working'): Promise<number> {
    const data = { stage: 'working', message, progress };
    return this.append({ type: 'tool.progressed.v1', data, writer: index, toolindex: index, attempt: 1 });
  }

  succeedTool(index: number, result: PlannedTool['arguments'] = { ok: true }): Promise<number> {
    const data = { result, metrics: { duration_ms: 1 } };
    return this.append({ type: 'tool.succeeded.v1', data, writer: index, toolindex: index, attempt: 1 });
  }

  succeed(): Promise<number> {
    const total = this.#plan.tools.length;
    const summary = {
      total,
      successful: total,
      failed: 0,
      cancelled: 0,
      skipped: 0,
      duration_ms: 1,
      files_created: 0,
      lines_written: 0,
    };
    return this.append({ type: 'run.succeeded.v1', data: { summary }, writer: 'run' });
  }

  /** From here to a successful end, with `steps` progress events per tool. */
  async finish(steps = 3): Promise<number> {
    await this.start();
    for (const { index } of this.#plan.tools) {
      await this.startTool(index);
      for (let step = 1; step <= steps; step++) await this.progress(index, Math.round((step * 100) / steps));
      await this.succeedTool(index);
    }
    return this.succeed();
  }

  /** What the log holds, read without the edge. */
  async recorded(): Promise<Recorded[]> {
    const events = await this.#log.readRun({ tenant: this.tenant, app: this.app, run: this.run });
    return events.map((stored) => ({ event: stored.event(), seq: stored.seq }));
  }

  async state(): Promise<RunState> {
    return fold(await this.recorded())!;
  }

  async seqs(): Promise<number[]> {
    const events = await this.#log.readRun({ tenant: this.tenant, app: this.app, run: this.run });
    return events.map((stored) => stored.seq);
  }
}

export function plannedTool(index: number, args: PlannedTool['arguments']): PlannedTool {
  return {
    index,
    call_id: `call_${index}`,
    name: 'echo',
    description: 'Says it again.',
    pool: 'default',
    arguments: args,
    depends_on: [],
    timeout_ms: 60_000,
    retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
    idempotent: true,
    isolation: 'inline',
    approval_policy: 'never',
    destructive: false,
    estimated_duration_ms: 10,
  };
}
