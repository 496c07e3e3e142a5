import { requestedCall, type ToolDefinition } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { type Catalog, callResults, estimatedDuration, type PlanRequest, planRun, toMessages } from '../src/index.ts';
import { acceptedRun, event, failed, given, queued, started, startedRun, succeeded } from './given.ts';

const write: ToolDefinition = {
  name: 'os-write',
  description: 'Writes a file',
  pool: 'default',
  input_schema: {},
  idempotent: true,
  destructive: false,
  isolation: 'thread',
  approval: 'never',
  timeout_ms: 1000,
  retries: { max_attempts: 3, initial_ms: 1, factor: 2, max_ms: 10 },
  estimated_ms: 300,
};
const catalog = (runs = 0): Catalog => ({
  find: (name) => (name === 'os-write' ? write : undefined),
  estimate: () => ({ runs, p50_ms: 42 }),
  validate: (_, args) =>
    args !== null && typeof args === 'object' && 'bad' in args ? 'bad is not allowed' : undefined,
});
const request = (calls: PlanRequest['calls']): PlanRequest => ({
  mode: 'sequential',
  priority: 'normal',
  calls,
  request_hash: 'h',
  timeout_ms: 1,
  max_age_ms: 1,
});
const call = (id: string, depends_on: string[] = [], args: object = {}) => ({
  call_id: id,
  name: 'os-write',
  arguments: args as never,
  depends_on,
});

describe('planRun', () => {
  it('makes the same plan of OpenAI, Anthropic and native calls of one turn', () => {
    const shapes = [
      requestedCall({ id: 'a', type: 'function', function: { name: 'os-write', arguments: '{"x":1}' } }),
      requestedCall({ type: 'tool_use', id: 'a', name: 'os-write', input: { x: 1 } }),
      requestedCall({ id: 'a', name: 'os-write', arguments: { x: 1 } }),
    ];
    const plans = shapes.map((shape) => planRun(request([shape]), catalog()));
    expect(plans[1]).toEqual(plans[0]);
    expect(plans[2]).toEqual(plans[0]);
  });
  it('refuses duplicate ids, cycles, strangers and too many calls', () => {
    const code = (calls: PlanRequest['calls']) => {
      const planned = planRun(request(calls), catalog());
      return planned.ok ? 'ok' : planned.rejection.code;
    };
    expect(code([call('a'), call('a')])).toBe('duplicate_call_id');
    expect(code([call('a', ['c']), call('b', ['a']), call('c', ['b'])])).toBe('dependency_cycle');
    expect(code([call('a', ['a'])])).toBe('dependency_cycle');
    expect(code([call('a', ['z'])])).toBe('invalid');
    expect(code(Array.from({ length: 257 }, (_, i) => call(`c${i}`)))).toBe('too_many_calls');
    expect(code(Array.from({ length: 256 }, (_, i) => call(`c${i}`, i ? [`c${i - 1}`] : [])))).toBe('ok');
  });
  it('names the calls of a cycle', () => {
    const planned = planRun(request([call('x'), call('a', ['x', 'b']), call('b', ['a'])]), catalog());
    expect(planned).toMatchObject({ ok: false, rejection: { message: expect.stringContaining('a → b → a') } });
  });
  it('fails unknown tools and unfit arguments alone', () => {
    const calls = [
      { ...call('a'), name: 'nope' },
      { ...call('b'), parse_error: 'Unexpected token' },
      call('c', [], { bad: 1 }),
      call('d'),
    ];
    const planned = planRun(request(calls), catalog());
    expect(planned.ok && planned.plan.tools.map((t) => t.rejection?.code)).toEqual([
      'unknown_tool',
      'invalid_arguments',
      'invalid_arguments',
      undefined,
    ]);
  });
  it('estimates by the author until five runs are known, then by the median', () => {
    expect(estimatedDuration(write, { runs: 4, p50_ms: 42.4 })).toBe(300);
    expect(estimatedDuration(write, { runs: 5, p50_ms: 42.4 })).toBe(42);
    expect(estimatedDuration(write)).toBe(300);
  });
});

describe('toMessages', () => {
  const { state } = given(
    acceptedRun(),
    startedRun(),
    queued(0),
    started(0),
    succeeded(0),
    queued(1),
    started(1),
    failed(1),
  );
  it('answers every call in call order, in each format', () => {
    const calls = callResults(state);
    expect(toMessages(calls, 'openai')).toEqual([
      { role: 'tool', tool_call_id: 'call_0', content: 'ok' },
      { role: 'tool', tool_call_id: 'call_1', content: '{"error":{"code":"tool_error","message":"no"}}' },
    ]);
    expect(toMessages(calls, 'anthropic')).toMatchObject([
      { role: 'user', content: [{ tool_use_id: 'call_0' }, { tool_use_id: 'call_1', is_error: true }] },
    ]);
    expect(toMessages(calls, 'openai-responses')).toMatchObject([
      { type: 'function_call_output', output: 'ok' },
      { call_id: 'call_1' },
    ]);
    expect(toMessages(calls, 'native')).toMatchObject([
      { result: 'ok', status: 'succeeded' },
      { error: { code: 'tool_error' } },
    ]);
  });
  it('says of an unfinished call that it has not finished', () => {
    const live = given(
      acceptedRun(),
      startedRun(),
      event('tool.queued.v1', { dispatch: 1, tool_seq: 0, cause: 'first' }, { tool: 0 }),
    ).state;
    expect(callResults(live)[0]?.error?.code).toBe('not_finished');
  });
});
