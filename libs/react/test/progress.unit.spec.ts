import { describe, expect, it } from 'vitest';
import { durationOf, percentOf, progressOf } from '../src/index.ts';
import { after, aRun, aTool, at, running, succeeded } from './a-run.ts';

describe('how far a run is', () => {
  it('is unknown until something was measured or is over', () => {
    expect(progressOf(aRun([{}, {}]), after(1))).not.toHaveProperty('percent');
    expect(progressOf(aRun([running(0), {}]), after(1))).not.toHaveProperty('percent');
    expect(progressOf(aRun([running(0, { measured: 0 }), {}]), after(1))).toMatchObject({ percent: 0 });
  });

  it('is the share of calls that are over, with what running calls measure of themselves', () => {
    const run = aRun([succeeded(0, 2), running(2, { measured: 50 }), {}, {}]);
    expect(progressOf(run, after(3))).toMatchObject({ total: 4, done: 1, running: 1, percent: 37.5 });
    const blind = aRun([succeeded(0, 2), running(2), {}, {}]);
    expect(progressOf(blind, after(3))).toMatchObject({ percent: 25 });
  });

  it('counts calls that failed, were skipped or denied as over', () => {
    const run = aRun([{ status: 'failed' }, { status: 'skipped' }, { status: 'denied' }, { status: 'cancelled' }]);
    expect(progressOf(run, after(1))).toMatchObject({ done: 4, failed: 1, percent: 100 });
  });

  it('has gone on for the time since its start without its pauses', () => {
    expect(progressOf(aRun([{}], { paused_ms: 2_000 }), after(10)).elapsed_ms).toBe(8_000);
    const paused = aRun([{}], { status: 'paused', paused_ms: 2_000, paused_at: at(6) });
    expect(progressOf(paused, after(10)).elapsed_ms).toBe(4_000);
    expect(progressOf(aRun([{}], { status: 'succeeded', ended_at: at(7) }), after(100)).elapsed_ms).toBe(7_000);
  });
});

describe('how long a run will still take', () => {
  const left = (...of: Parameters<typeof progressOf>) => progressOf(...of).remaining_ms;

  it('is, at first, what its calls are estimated to take: one after the other, or the longest path', () => {
    const tools = [{}, {}, { estimated_duration_ms: 30_000 }];
    expect(left(aRun(tools), after(0))).toBe(50_000);
    expect(left(aRun(tools, { ordering: 'parallel' }), after(0))).toBe(30_000);
    const graph = aRun([{ depends_on: [2] }, { depends_on: [] }, { depends_on: [1] }], { ordering: 'graph' });
    expect(left(graph, after(0))).toBe(30_000);
  });

  it('learns from calls of the same tool, and a little from all others', () => {
    const slow = aRun([succeeded(0, 30), { estimated_duration_ms: 10_000 }]);
    // Estimated at 10 s, the first took 30 s: the pace is 2, and of (20 s and 30 s) the mean is expected.
    expect(left(slow, after(30))).toBe(25_000);
    const other = aRun([succeeded(0, 30), { name: 'deploy' }]);
    expect(left(other, after(30))).toBe(20_000);
    const quick = aRun([succeeded(0, 1), succeeded(1, 2), succeeded(2, 3), {}]);
    expect(left(quick, after(3))).toBeLessThan(4_000);
  });

  it('takes what a running call measures for its rate, the more the further it is', () => {
    const half = aRun([running(0, { measured: 50 })]);
    expect(left(half, after(5))).toBe(5_000);
    const late = aRun([running(0, { measured: 25 })]);
    expect(left(late, after(20))).toBe(60_000);
    const early = aRun([running(0, { measured: 1 })]);
    // By its rate it would take 99 s more, which one percent in one second hardly tells.
    expect(left(early, after(1))).toBeLessThan(20_000);
  });

  it('is not said when a call that measures nothing takes longer than expected', () => {
    expect(progressOf(aRun([running(0), {}]), after(5)).remaining_ms).toBe(15_000);
    expect(progressOf(aRun([running(0), {}]), after(11))).toMatchObject({ no_forecast: 'overdue' });
    expect(progressOf(aRun([running(0), {}]), after(11))).not.toHaveProperty('remaining_ms');
  });

  it('is not said of a run that waits for a person, is paused, is being cancelled or has not begun', () => {
    const asks = aRun([{ status: 'awaiting_approval' }]);
    expect(progressOf(asks, after(1)).no_forecast).toBe('approval');
    const begin = { status: 'accepted' } as const;
    expect(progressOf(aRun([{}], begin), after(1)).no_forecast).toBe('not_started');
    for (const status of ['paused', 'cancelling'] as const) {
      expect(progressOf(aRun([{}], { status }), after(1)).no_forecast).toBe(status);
    }
    const over = progressOf(aRun([succeeded(0, 1)], { status: 'succeeded', ended_at: at(1) }), after(9));
    expect(over).not.toHaveProperty('remaining_ms');
    expect(over).not.toHaveProperty('no_forecast');
  });

  it('sees by the queue how many run at once', () => {
    const tools = [running(0), running(0), { status: 'queued' as const }, { status: 'queued' as const }];
    expect(left(aRun(tools, { ordering: 'parallel' }), after(0))).toBe(20_000);
    const free = tools.map((tool) => (tool.status === 'queued' ? {} : tool));
    expect(left(aRun(free, { ordering: 'parallel' }), after(0))).toBe(10_000);
  });

  it('waits for the moment of the next attempt', () => {
    const run = aRun([{ status: 'retrying', attempt: 1, retry_at: at(20) }]);
    expect(left(run, after(10))).toBe(20_000);
  });

  it('is a number for 256 calls in any order of dependencies', () => {
    const tools = Array.from({ length: 256 }, (_, i) => ({ depends_on: i < 255 ? [i + 1] : [] }));
    expect(left(aRun(tools, { ordering: 'graph' }), after(0))).toBe(2_560_000);
  });
});

describe('one call', () => {
  it('is as far as its attempt measures, and nobody knows where it does not', () => {
    expect(percentOf(aTool(0, running(0)))).toBeUndefined();
    expect(percentOf(aTool(0, running(0, { measured: 40 })))).toBe(40);
    expect(percentOf(aTool(0, { status: 'failed', measured: 40 }))).toBeUndefined();
    expect(percentOf(aTool(0, succeeded(0, 1)))).toBe(100);
  });

  it('takes time from its start to its end, or as its attempt measured', () => {
    expect(durationOf(aTool(0), after(1))).toBeUndefined();
    expect(durationOf(aTool(0, running(1)), after(3))).toBe(2_000);
    expect(durationOf(aTool(0, succeeded(1, 3, { metrics: { duration_ms: 1_900 } })), after(9))).toBe(1_900);
    expect(durationOf(aTool(0, { ...succeeded(1, 3), metrics: {} }), after(9))).toBe(2_000);
    expect(durationOf(aTool(0, { status: 'retrying', started_at: at(1) }), after(9))).toBeUndefined();
  });
});
