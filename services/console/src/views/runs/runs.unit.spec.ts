import type { RunListItem } from '@toolstream/proto-events';
import type { RunState } from '@toolstream/react';
import { describe, expect, it } from 'vitest';
import { changesInWords, rowOf, toolsInWords } from './row.ts';
import { isFiltered, runsSearch } from './search.ts';

const item = (over: Partial<RunListItem> = {}): RunListItem => ({
  run_id: '0-1',
  app: 'shop',
  status: 'running',
  cursor: 'e.0:1',
  accepted_at: '2026-01-01T00:00:00.000Z',
  tools_total: 4,
  tools_ended: 1,
  ...over,
});
const live = (tools: object[], over: object = {}) =>
  ({
    run_id: '0-1',
    status: 'running',
    accepted_at: '2026-01-01T00:00:00.000Z',
    tools,
    ...over,
  }) as unknown as RunState;

describe('a row', () => {
  it('is what the list says, until the run is followed', () => {
    expect(rowOf(item({ awaiting_approval: 2 }), undefined)).toMatchObject({
      ended: 1,
      total: 4,
      progress: 25,
      waiting: 2,
    });
  });

  it('counts what running calls have measured, and nothing that they have not', () => {
    const tools = [
      { status: 'succeeded' },
      { status: 'failed', measured: 30 },
      { status: 'running', measured: 50 },
      { status: 'running' },
      { status: 'awaiting_approval', measured: 10 },
    ];
    expect(rowOf(item(), live(tools))).toMatchObject({ ended: 2, total: 5, progress: 50, waiting: 1, failed: 1 });
  });

  it('is what the list says again once that knows of the end', () => {
    const ended = item({ status: 'succeeded', ended_at: '2026-01-01T00:00:09.000Z', tools_ended: 4 });
    expect(rowOf(ended, live([{ status: 'running' }]))).toMatchObject({ status: 'succeeded', ended: 4, progress: 100 });
  });

  it('is named by its tools', () => {
    expect(toolsInWords(item())).toBe('4 calls');
    expect(toolsInWords(item({ tool_names: ['os-write', 'os-read'] }))).toBe('os-write, os-read');
    expect(toolsInWords(item({ tool_names: ['a', 'b', 'c', 'd'] }))).toBe('a, b, c and more');
  });
});

describe('what is said of changes', () => {
  it('is nothing where nothing changed, and nothing of a page that is merely shown', () => {
    expect(changesInWords([item()], [item({ tools_ended: 2 })])).toBeUndefined();
    expect(changesInWords([], [item()])).toBeUndefined();
  });

  it('is how many runs came, ended and wait', () => {
    const before = [item(), item({ run_id: '0-2' }), item({ run_id: '0-3' })];
    const after = [
      item({ run_id: '0-4' }),
      item({ status: 'succeeded' }),
      item({ run_id: '0-2', status: 'failed' }),
      item({ run_id: '0-3', awaiting_approval: 1 }),
    ];
    expect(changesInWords(before, after)).toBe('1 new run, 1 run succeeded, 1 run failed, 1 run needs approval.');
  });
});

describe('the address of the list', () => {
  it('is taken as far as it makes sense', () => {
    expect(runsSearch({ app: 42, status: 'live', tool: 'os-write', since: 'day', before: 'abc' })).toEqual({
      app: '42',
      status: 'live',
      tool: 'os-write',
      since: 'day',
      before: 'abc',
    });
    expect(runsSearch({ app: 'a.b', status: 'dead', tool: '', since: 'toString', before: 7 })).toEqual({});
    expect([isFiltered({ before: 'x' }), isFiltered({ app: 'a' })]).toEqual([false, true]);
  });
});
