import { type Draft, evolve, toEvent } from '@toolstream/domain';
import type { RunState, ToolMetrics, ToolstreamEvent } from '@toolstream/proto-events';
import { seeded } from '../seeded.ts';

export const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';

/** Writes a run's events into memory, with a clock that moves 10 ms per event. */
export class Story {
  readonly states: RunState[] = [];
  readonly events: ToolstreamEvent[] = [];
  readonly #run = { run_id: RUN, tenant: 't1', app: 'app-1' };

  constructor(tools = 2, { message_id = 'm1', max_attempts = 2 } = {}) {
    this.tell({
      type: 'run.accepted.v1',
      writer: 'run',
      data: {
        ordering: 'parallel',
        priority: 'normal',
        message_id,
        timeout_ms: 60_000,
        max_age_ms: 600_000,
        request_hash: 'h',
        tools: Array.from({ length: tools }, (_, index) => ({
          index,
          call_id: `call_${index}`,
          name: `tool-${index}`,
          description: `Does ${index}`,
          pool: 'default',
          arguments: {},
          depends_on: [],
          timeout_ms: 1000,
          retries: { max_attempts, initial_ms: 0, factor: 1, max_ms: 0 },
          idempotent: true,
          isolation: 'inline' as const,
          approval_policy: 'never' as const,
          destructive: false,
          estimated_duration_ms: 1500,
        })),
      },
    });
  }

  get state(): RunState {
    return this.states.at(-1)!;
  }

  tell(draft: Draft): this {
    const seq = this.events.length + 1;
    const at = new Date(Date.UTC(2026, 0, 1) + seq * 10).toISOString();
    const event = toEvent(draft, this.#run, { id: `e${seq}`, source: 'toolstream/test', at });
    this.events.push(event);
    this.states.push(evolve(this.states.at(-1), { event, seq })!);
    return this;
  }

  begin(): this {
    return this.tell({ type: 'run.started.v1', writer: 'run', data: {} });
  }

  startTool(index: number): this {
    const { attempt, dispatch } = this.state.tools[index]!;
    this.tell({
      type: 'tool.queued.v1',
      writer: 'run',
      toolindex: index,
      data: { dispatch: dispatch + 1, tool_seq: 0, cause: 'first' },
    });
    return this.tell({
      type: 'tool.started.v1',
      writer: index,
      toolindex: index,
      attempt: attempt + 1,
      data: { dispatch: dispatch + 1, executor: 'x', queue_ms: 1 },
    });
  }

  progress(index: number, stage: string, progress?: number, message?: string): this {
    const data = {
      stage,
      ...(progress === undefined ? {} : { progress }),
      ...(message === undefined ? {} : { message }),
    };
    return this.ofAttempt(index, { type: 'tool.progressed.v1', data });
  }

  succeed(index: number, metrics: ToolMetrics = { duration_ms: 1234, files_created: 1, lines_written: 3 }): this {
    return this.ofAttempt(index, { type: 'tool.succeeded.v1', data: { result: { ok: true }, metrics } });
  }

  fail(index: number, retryable: boolean): this {
    return this.ofAttempt(index, {
      type: 'tool.failed.v1',
      data: { error: { code: 'tool_error', message: 'no' }, retryable },
    });
  }

  end(): this {
    const { tools } = this.state;
    const successful = tools.filter(({ status }) => status === 'succeeded').length;
    const summary = {
      total: tools.length,
      successful,
      failed: tools.length - successful,
      cancelled: 0,
      skipped: 0,
      duration_ms: 2000,
      files_created: successful,
      lines_written: 3 * successful,
    };
    return this.state.cancel
      ? this.tell({ type: 'run.cancelled.v1', writer: 'run', data: { summary } })
      : this.tell({ type: 'run.succeeded.v1', writer: 'run', data: { summary } });
  }

  ofAttempt(index: number, draft: Pick<Draft, 'type' | 'data'>): this {
    const { attempt } = this.state.tools[index]!;
    return this.tell({ ...draft, writer: index, toolindex: index, attempt } as Draft);
  }
}

/** A run as it may go: retries, pauses, approvals, cancels, skips, stages without a measure. */
export function randomStory(seed: number): Story {
  const random = seeded(seed);
  const pick = (n: number) => Math.floor(random() * n);
  const story = new Story(1 + pick(4)).begin();
  for (let step = 0; step < 60; step++) {
    const open = story.state.tools.filter(({ ended_at }) => ended_at === undefined);
    const tool = open[pick(open.length)];
    if (!tool) break;
    const { index, status } = tool;
    const roll = random();
    if (roll < 0.05 && story.state.paused_at === undefined)
      story.tell({ type: 'run.paused.v1', writer: 'run', data: {} });
    else if (roll < 0.1 && story.state.paused_at !== undefined)
      story.tell({ type: 'run.resumed.v1', writer: 'run', data: {} });
    else if (roll < 0.12 && !story.state.cancel)
      story.tell({ type: 'run.cancel_requested.v1', writer: 'run', data: { cause: 'command' } });
    else if (status === 'pending' && roll < 0.2)
      story.tell({ type: 'tool.skipped.v1', writer: 'run', toolindex: index, data: { reason: 'no need' } });
    else if (status === 'pending' && roll < 0.3)
      story.tell({ type: 'tool.approval_requested.v1', writer: 'run', toolindex: index, data: { reason: 'policy' } });
    else if (status === 'awaiting_approval')
      story.tell({
        type: roll < 0.6 ? 'tool.approved.v1' : 'tool.denied.v1',
        writer: 'run',
        toolindex: index,
        data: {},
      });
    else if (status !== 'running') story.startTool(index);
    else if (roll < 0.7) story.progress(index, `stage-${pick(3)}`, roll < 0.45 ? pick(100) : undefined);
    else if (roll < 0.78) story.fail(index, roll < 0.75);
    else if (roll < 0.82) story.progress(index, 'complete', 100, 'All done').succeed(index);
    else if (roll < 0.9) story.succeed(index);
    else story.tell({ type: 'tool.cancelled.v1', writer: index, toolindex: index, data: {} });
  }
  for (const { index, ended_at } of story.state.tools)
    if (ended_at === undefined)
      story.tell({ type: 'tool.cancelled.v1', writer: 'run', toolindex: index, data: { reason: 'over' } });
  return story.end();
}
