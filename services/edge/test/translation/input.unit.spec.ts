import { RunAgentInputSchema } from '@ag-ui/core/schemas';
import { describe, expect, it } from 'vitest';
import { conversationOf } from '../../src/agui/conversation.ts';
import { runAgentBody, runAgentInput } from '../../src/agui/input.ts';
import { approvalId, parseApprovalId } from '../../src/translation/tool-view.ts';

const call = (id: string, name = 'noop') => ({ id, type: 'function', function: { name, arguments: '{}' } });
const answer = (toolCallId: string) => ({ id: `result-${toolCallId}`, role: 'tool', toolCallId, content: 'ok' });
const minimal = { threadId: 't', runId: 'r', messages: [], tools: [], context: [], state: null };

describe('A request of AG-UI', () => {
  const requests = {
    minimal,
    'of every kind of message': {
      ...minimal,
      protocolVersion: '1.0',
      parentRunId: 'p',
      state: { any: ['thing'] },
      messages: [
        { id: '1', role: 'system', content: 'Be brief.' },
        { id: '2', role: 'developer', content: 'x' },
        { id: '3', role: 'user', content: [{ type: 'text', text: 'Hello' }] },
        { id: '4', role: 'assistant', toolCalls: [call('a'), call('b')], metadata: { of: 'somebody' } },
        answer('a'),
        { id: '6', role: 'reasoning', content: 'hm' },
        { id: '7', role: 'activity', activityType: 'x', content: {} },
      ],
      tools: [{ name: 'pick', description: 'Picks', parameters: { type: 'object' } }],
      context: [{ description: 'd', value: 'v' }],
      forwardedProps: { theirs: 1, toolstream: { app: 'app-1' } },
      resume: [
        { interruptId: 'i', status: 'resolved', payload: { approved: true } },
        { interruptId: 'j', status: 'cancelled' },
      ],
    },
  };
  it.each(Object.entries(requests))('%s is taken as AG-UI’s own schema takes it', (_name, request) => {
    expect(RunAgentInputSchema.safeParse(request).success).toBe(true);
    const parsed = runAgentInput.safeParse(request);
    expect(parsed.error).toBeUndefined();
    expect(parsed.data).toEqual(request);
  });

  it('may leave out, or leave null, what says nothing', () => {
    const request = { threadId: 't', runId: 'r', messages: [], tools: null, forwardedProps: null, resume: null };
    expect(runAgentInput.safeParse(request).success).toBe(true);
  });

  it('is refused where a field of ours cannot be what it should', () => {
    for (const wrong of [
      { threadId: '' },
      { messages: {} },
      { messages: [{ id: 'm', role: 'assistant', toolCalls: [{ id: 'a', function: { name: 'n', arguments: {} } }] }] },
      { forwardedProps: { toolstream: { app: 'a.b' } } },
      { forwardedProps: { toolstream: { run: 'what' } } },
      { resume: [{ interruptId: 'i', status: 'perhaps' }] },
    ])
      expect(runAgentInput.safeParse({ ...minimal, ...wrong }).success).toBe(false);
    let deep: unknown = 1;
    for (let level = 0; level < 500; level++) deep = [deep];
    expect(() => runAgentBody.safeParse({ ...minimal, state: deep })).toThrow('nested deeper');
  });
});

describe('The messages of a request', () => {
  const read = (...messages: object[]) => {
    const { calls, results, message, unanswered } = conversationOf(
      runAgentInput.parse({ ...minimal, messages }).messages,
    );
    return { calls: [...calls], results: [...results], message, unanswered: unanswered.map(({ id }) => id) };
  };
  const turn = (id: string, ...calls: string[]) => ({ id, role: 'assistant', toolCalls: calls.map((c) => call(c)) });

  it('say which calls of the newest turn have no answer', () => {
    expect(read({ id: 'u', role: 'user' }, turn('m', 'a', 'b', 'c'), answer('b'))).toEqual({
      calls: ['a', 'b', 'c'],
      results: ['b'],
      message: 'm',
      unanswered: ['a', 'c'],
    });
  });
  it('of an older turn leave nothing to do, even without answers', () => {
    expect(read(turn('m', 'a'), { id: 'n', role: 'assistant', content: 'Done.' })).toMatchObject({
      unanswered: [],
      message: 'n',
    });
  });
  it('answer the call before them: an id may be used again in another turn', () => {
    expect(read(turn('m', 'a'), answer('a'), turn('n', 'a'))).toMatchObject({
      results: [],
      unanswered: ['a'],
      message: 'n',
    });
  });
  it('may be none', () => {
    expect(read()).toEqual({ calls: [], results: [], message: undefined, unanswered: [] });
  });
});

describe('The id of an approval', () => {
  it('names its run and call, and differs from one asking of the same call to the next', () => {
    const run_id = `1-${'0'.repeat(26)}`;
    const asked = (requested_at: string) =>
      approvalId({ run_id } as never, { index: 7, approval: { reason: 'policy', requested_at } } as never);
    const first = asked('2026-01-01T00:00:00.000Z');
    expect(first).not.toBe(asked('2026-01-01T00:00:00.001Z'));
    expect(parseApprovalId(first)).toEqual({ run: run_id, index: 7 });
    for (const other of ['', 'x', `${first}x`, `${run_id}:7`]) expect(parseApprovalId(other)).toBeUndefined();
  });
});
