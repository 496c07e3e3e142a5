import type { EventData, EventType, PlannedTool, RunPlan, RunState, ToolstreamEvent } from '@toolstream/proto-events';
import { eventSubjectAttribute } from '@toolstream/proto-events';
import { expect } from 'vitest';
import { type Command, type Decision, decide, fold, type Now, type Recorded } from '../src/index.ts';

export const RUN = '0-01ARZ3NDEKTSV4RRFFQ69G5FAV';
export const T0 = Date.UTC(2026, 0, 1);
export const at = (ms: number): string => new Date(T0 + ms).toISOString();
export const now = (ms: number): Now => ({ at: at(ms), random: 0.5 });

export const plannedTool = (index: number, over: Partial<PlannedTool> = {}): PlannedTool => ({
  index,
  call_id: `call_${index}`,
  name: 'os-write',
  description: 'Writes a file',
  pool: 'default',
  arguments: { file_path: `f${index}` },
  depends_on: [],
  timeout_ms: 60_000,
  retries: { max_attempts: 3, initial_ms: 1000, factor: 2, max_ms: 10_000 },
  idempotent: true,
  isolation: 'inline',
  approval_policy: 'never',
  destructive: false,
  estimated_duration_ms: 100,
  ...over,
});

export const plan = (over: Partial<RunPlan> = {}): RunPlan => ({
  ordering: 'sequential',
  priority: 'normal',
  timeout_ms: 3_600_000,
  max_age_ms: 14 * 86_400_000,
  tools: [plannedTool(0), plannedTool(1)],
  request_hash: 'h',
  ...over,
});

/** 0 ← 1 ← 2, and 3 alone. */
export const graph = [
  plannedTool(0),
  plannedTool(1, { depends_on: [0] }),
  plannedTool(2, { depends_on: [1] }),
  plannedTool(3),
];

type Shape = {
  [T in EventType]: [
    type: T,
    data: EventData<T>,
    more?: { tool?: number; attempt?: number; own?: boolean; id?: string; ms?: number },
  ];
}[EventType];

/** An event as it would stand in the log; `own` puts it on the tool's own subject. */
export function event(...[type, data, more = {}]: Shape): ToolstreamEvent {
  const writer = more.own && more.tool !== undefined ? more.tool : 'run';
  return {
    specversion: '1.0',
    id: more.id ?? `e-${type}-${more.ms ?? 0}`,
    source: 'test',
    type,
    time: at(more.ms ?? 0),
    subject: eventSubjectAttribute(RUN, writer),
    datacontenttype: 'application/json',
    runid: RUN,
    ...(more.tool === undefined ? {} : { toolindex: more.tool }),
    ...(more.attempt === undefined ? {} : { attempt: more.attempt }),
    tenant: 't1',
    app: 'app1',
    data,
  } as ToolstreamEvent;
}

export const record = (events: readonly ToolstreamEvent[], from = 1): Recorded[] =>
  events.map((e, i) => ({ event: e, seq: from + i }));

export const stateOf = (events: readonly ToolstreamEvent[]): RunState => {
  const state = fold(record(events));
  if (!state) throw new Error('no run.accepted among the given events');
  return state;
};

/** given(events).when(command, at).thenAppends(types | rejection code). */
export const given = (...events: ToolstreamEvent[]) => ({
  state: stateOf(events),
  when: (command: Command, ms = 0) => {
    const decision: Decision = decide(command, stateOf(events), now(ms));
    return {
      decision,
      thenAppends: (...types: EventType[]) => {
        expect(decision).toMatchObject({ ok: true });
        expect(decision.ok && decision.drafts.map((d) => d.type)).toEqual(types);
      },
      thenRefused: (code: string) => expect(decision).toMatchObject({ ok: false, rejection: { code } }),
      thenNothing: () => expect(decision).toMatchObject({ ok: true, drafts: [] }),
      thenAlready: (seq: number) => expect(decision).toMatchObject({ ok: true, drafts: [], seq }),
      thenNoted: (seq: number) =>
        expect(decision).toMatchObject({
          ok: true,
          drafts: [{ type: 'run.command_noted.v1', writer: 'run', data: { seq } }],
          seq,
        }),
    };
  },
});

export const advanceCommand: Command = { type: 'advance' };
export const ask = (type: 'pause' | 'resume' | 'cancel', id = 'k1'): Command => ({ type, id, actor: 'ann' });
export const askTool = (
  type: 'cancel_tool' | 'retry_tool' | 'approve_tool' | 'deny_tool',
  index: number,
  id = 'k1',
): Command => ({
  type,
  index,
  id,
  actor: 'ann',
});

/** The usual beginnings. */
export const acceptedRun = (over: Partial<RunPlan> = {}) => event('run.accepted.v1', plan(over));
export const startedRun = () => event('run.started.v1', {});
export const queued = (tool: number, dispatch = 1, tool_seq = 0, ms = 0) =>
  event('tool.queued.v1', { dispatch, tool_seq, cause: 'first' }, { tool, ms });
export const started = (tool: number, attempt = 1, dispatch = 1, ms = 0) =>
  event('tool.started.v1', { dispatch, executor: 'x', queue_ms: 0 }, { tool, attempt, own: true, ms });
export const succeeded = (tool: number, attempt = 1, ms = 0) =>
  event(
    'tool.succeeded.v1',
    { result: 'ok', metrics: { lines_written: 2, files_created: 1 } },
    { tool, attempt, own: true, ms },
  );
export const failed = (tool: number, attempt = 1, retryable = false, ms = 0) =>
  event(
    'tool.failed.v1',
    { error: { code: 'tool_error', message: 'no' }, retryable },
    { tool, attempt, own: true, ms },
  );
