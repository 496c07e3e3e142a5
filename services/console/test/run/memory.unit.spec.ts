import type { ToolstreamEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { attemptWords } from '../../src/views/run/model/attempts.ts';
import { followedCall } from '../../src/views/run/model/followed.ts';
import { WHOLE_AT_MOST, WholeOutput } from '../../src/views/run/model/whole-output.ts';
import { runSearch } from '../../src/views/run/search.ts';
import { at, call, ended, run, T0 } from './given.ts';

describe('The call that is followed', () => {
  it('is the one that asks, else the one that runs', () => {
    const state = run([ended(0), call(1, { status: 'running' }), call(2, { status: 'awaiting_approval' })]);
    expect(followedCall(state, 1)).toBe(2);
    expect(followedCall({ ...state, tools: state.tools.slice(0, 2) }, undefined)).toBe(1);
  });
  it('stays the same while it goes on, however many others run', () => {
    const state = run([
      call(0, { status: 'running' }),
      call(1, { status: 'retrying' }),
      call(2, { status: 'running' }),
    ]);
    expect(followedCall(state, 2)).toBe(2);
    expect(followedCall(state, 1)).toBe(1);
  });
  it('is the next one before it runs, and what failed or came last in the end', () => {
    expect(followedCall(run([ended(0), call(1), call(2)]), 0)).toBe(1);
    expect(followedCall(run([ended(0), ended(1, { status: 'failed' }), ended(2)]), undefined)).toBe(1);
    expect(followedCall(run([ended(0), ended(1)]), undefined)).toBe(1);
    expect(followedCall(run([ended(0), ended(1)]), 0)).toBe(0);
  });
});

describe('Attempts', () => {
  it('are nothing to speak of while the first one runs or was enough', () => {
    expect(attemptWords(call(0), T0)).toBeUndefined();
    expect(attemptWords(call(0, { status: 'running', attempt: 1 }), T0)).toBeUndefined();
    expect(attemptWords(ended(0), T0)).toBeUndefined();
  });
  it('make what a failed one wrote worthless before the next begins', () => {
    const error = { code: 'x', message: 'It broke off.' };
    const words = attemptWords(call(0, { status: 'retrying', attempt: 1, error, retry_at: at(2_000) }), T0);
    expect(words).toEqual({
      title: 'Attempt 1 failed',
      text: 'It broke off. What it wrote does not count; attempt 2 starts in 2.0 s.',
      stale: true,
    });
    expect(attemptWords(call(0, { status: 'pending', attempt: 1, released: 'lost' }), T0)?.stale).toBe(true);
  });
  it('are counted, and the present one alone counts', () => {
    expect(attemptWords(call(0, { status: 'running', attempt: 3 }), T0)).toMatchObject({
      title: 'Attempt 3 of at most 3',
      text: 'It began anew: what attempts 1 to 2 wrote and measured no longer counts.',
      stale: false,
    });
    expect(attemptWords(ended(0, { attempt: 2 }), T0)?.title).toBe('2 attempts');
  });
});

describe('The whole output', () => {
  const output = (
    text: string,
    over: { attempt?: number; toolindex?: number; channel?: string } = {},
  ): ToolstreamEvent =>
    ({
      type: 'tool.output.v1',
      toolindex: over.toolindex ?? 1,
      attempt: over.attempt ?? 2,
      data: { channel: over.channel ?? 'stdout', text },
    }) as ToolstreamEvent;
  it('is of one attempt of one call', () => {
    const whole = new WholeOutput(1, 2);
    for (const event of [output('a'), output('b', { attempt: 1 }), output('c', { toolindex: 0 }), output('d')])
      whole.add(event);
    whole.add(output('e', { channel: 'stderr' }));
    expect(whole.parts).toEqual([
      { channel: 'stdout', text: 'ad' },
      { channel: 'stderr', text: 'e' },
    ]);
    expect(whole.dropped).toBe(false);
  });
  it('drops its beginning where it is too long for a page', () => {
    const whole = new WholeOutput(1, 2);
    const piece = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 20; n++) whole.add(output(piece));
    expect(whole.parts.reduce((sum, { text }) => sum + text.length, 0)).toBeLessThanOrEqual(WHOLE_AT_MOST);
    expect(whole.dropped).toBe(true);
  });
});

describe('The address', () => {
  it('keeps what makes sense and drops the rest', () => {
    expect(runSearch({ tab: 'events', call: 3, at: '0.0:12', other: 1 })).toEqual({
      tab: 'events',
      call: 3,
      at: '0.0:12',
    });
    expect(runSearch({ tab: 'calls', call: -1, at: '' })).toEqual({});
    expect(runSearch({ tab: 'other', call: '3' })).toEqual({});
  });
});
