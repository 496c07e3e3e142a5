import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { history as anyHistory, play } from '../../../../libs/domain/test/histories.ts';
import type { Span } from '../../src/views/timeline/model/spans.ts';
import { historyOf, ms, RunLog } from './run-log.ts';

const brief = (spans: readonly Span[] | undefined) =>
  (spans ?? []).map(({ kind, attempt, from, to, outcome }) =>
    [kind, attempt, ms(from), to === undefined ? undefined : ms(to), ...(outcome ? [outcome] : [])].join(' '),
  );

describe('the bars of a call', () => {
  it('are its waits, its queues and its attempts, as long as the log says', () => {
    const { spans } = new RunLog().queued(5, 0).started(20, 0).succeeded(120, 0).queued(121, 1).history();
    expect(brief(spans.calls[0])).toEqual(['waiting 1 0 5', 'queued 1 5 20', 'running 1 20 120 succeeded']);
    expect(brief(spans.calls[1])).toEqual(['waiting 1 0 121', 'queued 1 121 ']);
    expect(spans.extent && [ms(spans.extent.from), ms(spans.extent.to)]).toEqual([0, 121]);
  });

  it('show a retry: the failed attempt, the wait, the queue and the next attempt', () => {
    const { spans } = new RunLog([{}])
      .queued(0, 0)
      .started(10, 0)
      .own(60, 0, 1, 'tool.failed.v1', { error: { code: 'tool_error', message: 'no' }, retryable: true })
      .add(
        61,
        'tool.retry_scheduled.v1',
        { failures: 1, delay_ms: 1000, due_at: '2026-01-01T00:00:01.061Z' },
        { tool: 0 },
      )
      .queued(1061, 0, 2, 'retry')
      .started(1070, 0, 2)
      .succeeded(1200, 0, 2)
      .history();
    expect(brief(spans.calls[0]).slice(1)).toEqual([
      'queued 1 0 10',
      'running 1 10 60 failed',
      'retry 2 60 1061',
      'queued 2 1061 1070',
      'running 2 1070 1200 succeeded',
    ]);
  });

  it('show an approval that is waited for, and its denial', () => {
    const { spans, runMarkers, callMarkers } = new RunLog([{ approval_policy: 'always' }])
      .add(4, 'tool.approval_requested.v1', { reason: 'policy' }, { tool: 0 })
      .add(904, 'tool.denied.v1', { reason: 'no' }, { tool: 0 })
      .history();
    expect(brief(spans.calls[0])).toEqual(['waiting 1 0 4', 'approval 1 4 904 denied']);
    expect(callMarkers[0]?.map(({ kind, at }) => [kind, ms(at)])).toEqual([
      ['question', 4],
      ['answer', 904],
    ]);
    expect(runMarkers).toEqual([]);
  });

  it('show that a pause of the run holds a running call, and goes over a call that finishes', () => {
    const { spans, runMarkers } = new RunLog([{}, { pause: 'finish' }])
      .queued(0, 0)
      .queued(0, 1)
      .started(10, 0)
      .started(10, 1)
      .add(50, 'run.paused.v1', {})
      .succeeded(70, 1)
      .add(90, 'run.resumed.v1', {})
      .succeeded(100, 0)
      .history();
    expect(brief(spans.calls[0]).slice(2)).toEqual(['running 1 10 50', 'paused 1 50 90', 'running 1 90 100 succeeded']);
    expect(brief(spans.calls[1]).slice(2)).toEqual(['running 1 10 70 succeeded']);
    expect(runMarkers.map(({ kind, at }) => [kind, ms(at)])).toEqual([
      ['command', 50],
      ['command', 90],
    ]);
    expect(spans.bands.map(({ kind, from, to }) => [kind, ms(from), ms(to!)])).toEqual([['paused', 50, 90]]);
  });

  it('show an attempt that was replaced, and ignore what it still says', () => {
    const { spans } = new RunLog([{}])
      .queued(0, 0)
      .started(10, 0)
      .started(500, 0, 2, 1)
      .succeeded(510, 0, 1)
      .succeeded(600, 0, 2)
      .history();
    expect(brief(spans.calls[0]).slice(2)).toEqual(['running 1 10 500 replaced', 'running 2 500 600 succeeded']);
  });

  it('leave a hole between an end and a retry that somebody asked for', () => {
    const { spans } = new RunLog([{}, {}])
      .queued(0, 0)
      .started(10, 0)
      .own(20, 0, 1, 'tool.failed.v1', { error: { code: 'tool_error', message: 'no' }, retryable: false })
      .add(400, 'tool.retry_requested.v1', {}, { tool: 0 })
      .queued(402, 0, 2, 'requested')
      .history();
    expect(brief(spans.calls[0]).slice(2)).toEqual(['running 1 10 20 failed', 'waiting 2 400 402', 'queued 2 402 ']);
  });
});

describe('whatever happens to a run', () => {
  it('the bars of a call follow each other without overlap, from its acceptance to its end', () => {
    fc.assert(
      fc.property(anyHistory, fc.array(fc.integer({ min: -3_000, max: 3_000 }), { maxLength: 20 }), (what, skews) => {
        const world = play(what);
        world.settle();
        // Writers' clocks differ by some seconds.
        const log = world.log.map(({ event, seq }, index) => {
          const skew = index === 0 ? 0 : (skews[index % Math.max(1, skews.length)] ?? 0);
          return { event: { ...event, time: new Date(Date.parse(event.time) + skew).toISOString() }, seq };
        });
        const history = historyOf(log);
        const { head, spans } = history;
        expect(head!.tools.map((_, call) => spans.calls[call]!.length > 0)).not.toContain(false);
        for (const [call, bars] of spans.calls.entries()) {
          expect(bars[0]).toMatchObject({ kind: 'waiting', first: 0, from: history.columns.time(0) });
          bars.forEach((bar, at) => {
            const next = bars[at + 1];
            expect(bar.from).toBeLessThanOrEqual(bar.to ?? Number.POSITIVE_INFINITY);
            if (!next) return;
            // Only between an end and the retry that was asked for is there nothing.
            const reopened = ['succeeded', 'failed', 'cancelled', 'skipped', 'denied'].includes(bar.outcome ?? '');
            if (reopened && next.kind !== 'retry') expect(next.from).toBeGreaterThanOrEqual(bar.to!);
            else expect([next.from, next.first]).toEqual([bar.to, bar.last]);
          });
          const ended = head!.tools[call]!.ended_at !== undefined;
          const last = bars.at(-1)!;
          expect(last.to !== undefined).toBe(ended);
          if (ended) expect(last.outcome).toBe(head!.tools[call]!.status);
        }
      }),
      { seed: 7, numRuns: 60 },
    );
  });

  it('an attempt runs in its own bars, which begin where the log says that it started', () => {
    fc.assert(
      fc.property(anyHistory, (what) => {
        const world = play(what);
        const { spans, columns } = historyOf(world.log);
        for (const bars of spans.calls) {
          for (const bar of bars) {
            if (bar.kind === 'running' || bar.kind === 'waiting' || bar.kind === 'queued')
              expect(bar.from).toBe(columns.time(bar.first));
            if (bar.last !== undefined) expect(bar.to).toBe(columns.time(bar.last));
          }
        }
      }),
      { seed: 8, numRuns: 60 },
    );
  });
});
