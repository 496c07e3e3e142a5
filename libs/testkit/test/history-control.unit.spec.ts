import type { Recorded } from '@toolstream/domain';
import type { EventData, EventType, ToolstreamEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { problemsOfHistory } from '../src/history.ts';

type Told = { [T in EventType]: [type: T, data: EventData<T>, more?: Partial<ToolstreamEvent>] }[EventType];

const at = (s: number): string => new Date(Date.UTC(2026, 0, 1, 0, 0, s)).toISOString();
const ON_TOOL = new Set(['tool.started.v1', 'tool.succeeded.v1', 'tool.cancelled.v1', 'tool.cancel_acknowledged.v1']);

/** A log of these events, a second apart. */
const logOf = (...told: Told[]): Recorded[] =>
  told.map(([type, data, more], i) => ({
    seq: i + 1,
    event: {
      specversion: '1.0',
      id: `e${i}`,
      source: 'test',
      type,
      time: at(i),
      subject: ON_TOOL.has(type) ? 'runs/r/tools/0' : 'runs/r',
      datacontenttype: 'application/json',
      runid: 'r',
      tenant: 't',
      app: 'a',
      data,
      ...more,
    } as ToolstreamEvent,
  }));
const problems = (...told: Told[]): string[] => problemsOfHistory(logOf(...told), { ended: false });

const tool = { toolindex: 0 };
const attempt = { toolindex: 0, attempt: 1 };
const accepted = (approval_policy: 'always' | 'never' = 'never'): Told => [
  'run.accepted.v1',
  {
    ordering: 'parallel',
    priority: 'normal',
    timeout_ms: 1e6,
    max_age_ms: 1e9,
    request_hash: 'h',
    tools: [
      {
        index: 0,
        call_id: 'c0',
        name: 'x',
        description: '',
        pool: 'default',
        arguments: {},
        depends_on: [],
        timeout_ms: 1_000,
        retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
        idempotent: true,
        isolation: 'inline',
        approval_policy,
        destructive: false,
        estimated_duration_ms: 1,
      },
    ],
  },
];
const begun: Told = ['run.started.v1', {}];
const queued: Told = ['tool.queued.v1', { dispatch: 1, tool_seq: 0, cause: 'first' }, tool];
const running: Told = ['tool.started.v1', { dispatch: 1, executor: 'x', queue_ms: 0 }, attempt];
const paused: Told = ['run.paused.v1', {}];
const resumed: Told = ['run.resumed.v1', {}];
const cancelling: Told = ['run.cancel_requested.v1', { cause: 'command' }];
const asked: Told = ['tool.approval_requested.v1', { reason: 'policy', expires_at: at(5) }, tool];
const approved: Told = ['tool.approved.v1', {}, tool];
const cancelled: Told = ['tool.cancelled.v1', {}, attempt];

describe('A history of control', () => {
  it('is legal where everything was asked for before it was done', () => {
    expect(
      problems(accepted('always'), begun, asked, approved, queued, running, paused, resumed, cancelling, cancelled),
    ).toEqual([]);
    const noted: Told = ['run.command_noted.v1', { command: 'pause', seq: 3 }, { id: 'c-1', actor: 'ann' }];
    expect(problems(accepted(), begun, paused, noted)).toEqual([]);
  });

  it.each<[string, Told[]]>([
    ['sent out while the run is paused', [accepted(), begun, paused, queued]],
    ['sent out although it is being cancelled', [accepted(), begun, cancelling, queued]],
    ['sent out although it is being cancelled', [accepted(), begun, ['tool.cancel_requested.v1', {}, tool], queued]],
    ['sent out without an approval', [accepted('always'), begun, queued]],
    ['sent out while an approval is waited for', [accepted('always'), begun, asked, queued]],
    ['answers nothing that was asked', [accepted('always'), begun, asked, approved, approved]],
    ['asked while the run is paused', [accepted('always'), begun, paused, asked]],
    ['nobody asked to cancel it', [accepted(), begun, queued, running, cancelled]],
    ['retried before its end', [accepted(), begun, queued, running, ['tool.retry_requested.v1', {}, tool]]],
    ['the run is paused already', [accepted(), begun, paused, paused]],
    ['the run is not paused', [accepted(), begun, resumed]],
    ['the run is being cancelled', [accepted(), begun, cancelling, paused]],
    ['is being cancelled already', [accepted(), begun, cancelling, cancelling]],
    ['a command without an actor', [accepted(), begun, ['run.paused.v1', {}, { id: 'c-1' }]]],
    ['which is no event before it', [accepted(), ['run.command_noted.v1', { command: 'pause', seq: 9 }]]],
    [
      'expired early',
      [accepted('always'), begun, asked, ['tool.denied.v1', { expired: true }, { ...tool, actor: 'toolstream' }]],
    ],
    [
      'expired in the name of ann',
      [accepted('always'), begun, asked, ['tool.denied.v1', { expired: true }, { ...tool, actor: 'ann' }]],
    ],
  ])('is not: %s', (problem, told) => {
    expect(problems(...told).join('\n')).toContain(problem);
  });
});
