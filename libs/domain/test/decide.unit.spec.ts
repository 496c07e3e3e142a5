import { describe, expect, it } from 'vitest';
import { ABANDON_AFTER_MS } from '../src/index.ts';
import {
  acceptedRun,
  advanceCommand as advance,
  ask,
  event,
  failed,
  given,
  graph,
  plannedTool,
  queued,
  started,
  startedRun,
  succeeded,
} from './given.ts';

describe('When accepted', () => {
  it('starts a sequential run with its first call only', () => {
    given(acceptedRun()).when(advance).thenAppends('run.started.v1', 'tool.queued.v1');
  });
  it('starts every call of a parallel run', () => {
    given(acceptedRun({ ordering: 'parallel' }))
      .when(advance)
      .thenAppends('run.started.v1', 'tool.queued.v1', 'tool.queued.v1');
  });
  it('starts the roots of a graph', () => {
    const { decision } = given(acceptedRun({ ordering: 'graph', tools: graph })).when(advance);
    expect(decision.ok && decision.drafts.map((d) => d.toolindex)).toEqual([undefined, 0, 3]);
  });
  it('fails an unknown tool when its turn comes and runs the others', () => {
    const rejection = { code: 'unknown_tool', message: 'no' };
    given(acceptedRun({ tools: [plannedTool(0, { rejection }), plannedTool(1)] }))
      .when(advance)
      .thenAppends('run.started.v1', 'tool.failed.v1', 'tool.queued.v1');
  });
  it('ends a run of nothing but rejected calls at once', () => {
    const rejection = { code: 'unknown_tool', message: 'no' };
    given(acceptedRun({ tools: [plannedTool(0, { rejection })] }))
      .when(advance)
      .thenAppends('run.started.v1', 'tool.failed.v1', 'run.failed.v1');
  });
  it('cancels without having started', () => {
    given(acceptedRun(), event('run.cancel_requested.v1', { cause: 'command' }))
      .when(advance)
      .thenAppends('tool.cancelled.v1', 'tool.cancelled.v1', 'run.cancelled.v1');
  });
});

describe('When running', () => {
  const running = [acceptedRun(), startedRun(), queued(0), started(0)];
  it('does nothing while nothing is due', () =>
    given(...running)
      .when(advance)
      .thenNothing());
  it('queues the next call after a success', () =>
    given(...running, succeeded(0))
      .when(advance)
      .thenAppends('tool.queued.v1'));
  it('queues the next call after a failure, too: sequential waits for the end, whatever it is', () => {
    given(...running, failed(0))
      .when(advance)
      .thenAppends('tool.queued.v1');
  });
  it('schedules a retry after a retryable failure, with backoff', () => {
    const { decision } = given(...running, failed(0, 1, true)).when(advance, 500);
    expect(decision.ok && decision.drafts).toMatchObject([
      { type: 'tool.retry_scheduled.v1', data: { failures: 1, delay_ms: 750, due_at: '2026-01-01T00:00:01.250Z' } },
    ]);
  });
  it('queues the retry when it is due and not before', () => {
    const retrying = [
      ...running,
      failed(0, 1, true),
      event(
        'tool.retry_scheduled.v1',
        { failures: 1, delay_ms: 1000, due_at: '2026-01-01T00:00:01.000Z' },
        { tool: 0 },
      ),
    ];
    given(...retrying)
      .when(advance, 999)
      .thenNothing();
    given(...retrying)
      .when(advance, 1000)
      .thenAppends('tool.queued.v1');
  });
  it('gives up when the attempts are used up', () => {
    const once = [
      acceptedRun({ tools: [plannedTool(0, { retries: { max_attempts: 1, initial_ms: 1, factor: 1, max_ms: 1 } })] }),
      startedRun(),
      queued(0),
      started(0),
    ];
    given(...once, failed(0, 1, true))
      .when(advance)
      .thenAppends('run.failed.v1');
  });
  it('succeeds when every call did, with the summary', () => {
    const { decision } = given(...running, succeeded(0, 1, 40), queued(1), started(1), succeeded(1, 1, 90)).when(
      advance,
      100,
    );
    expect(decision.ok && decision.drafts).toMatchObject([
      {
        type: 'run.succeeded.v1',
        data: { summary: { total: 2, successful: 2, failed: 0, duration_ms: 100, files_created: 2, lines_written: 4 } },
      },
    ]);
  });
  it('skips what depends on a failure, and what depends on that', () => {
    given(acceptedRun({ ordering: 'graph', tools: graph }), startedRun(), queued(0), queued(3), started(0), failed(0))
      .when(advance)
      .thenAppends('tool.skipped.v1', 'tool.skipped.v1');
  });
  it('ends a dead letter on the tool’s own subject, fencing the attempt out', () => {
    const { decision } = given(...running).when({ type: 'dead_letter', index: 0, dispatch: 1, message: 'x' });
    expect(decision.ok && decision.drafts).toMatchObject([{ type: 'tool.failed.v1', writer: 0, attempt: 1 }]);
  });
  it('ignores a dead letter of an older job', () => {
    given(...running)
      .when({ type: 'dead_letter', index: 0, dispatch: 7, message: 'x' })
      .thenNothing();
  });
  it('asks before it runs a lost attempt of a tool that is not idempotent', () => {
    const tools = [plannedTool(0, { idempotent: false })];
    const lost = [
      acceptedRun({ tools }),
      startedRun(),
      queued(0),
      started(0),
      event('tool.released.v1', { reason: 'lost' }, { tool: 0, own: true, attempt: 1 }),
    ];
    given(...lost)
      .when(advance)
      .thenAppends('tool.approval_requested.v1');
    const asked = [...lost, event('tool.approval_requested.v1', { reason: 'lost_attempt' }, { tool: 0 })];
    given(...asked, event('tool.approved.v1', {}, { tool: 0 }))
      .when(advance)
      .thenAppends('tool.queued.v1');
    const denied = given(...asked, event('tool.denied.v1', {}, { tool: 0 }));
    expect(denied.state.tools[0]).toMatchObject({ status: 'failed', error: { code: 'lost_attempt_denied' } });
    denied.when(advance).thenAppends('run.failed.v1');
  });
  it('asks what a call needs a person for, and runs it again with what was approved', () => {
    const request = { message: 'Which branch?', schema: { type: 'object' } };
    const needs = [
      acceptedRun({ tools: [plannedTool(0, { idempotent: true })] }),
      startedRun(),
      queued(0),
      started(0),
      event('tool.released.v1', { reason: 'input', request }, { tool: 0, own: true, attempt: 1 }),
    ];
    const { decision } = given(...needs).when(advance);
    expect(decision).toMatchObject({
      drafts: [{ type: 'tool.approval_requested.v1', data: { reason: 'input', request } }],
    });
    const asked = [...needs, event('tool.approval_requested.v1', { reason: 'input', request }, { tool: 0 })];
    expect(given(...asked).state.tools[0]).toMatchObject({ status: 'awaiting_approval', approval: { request } });
    expect(given(...asked).state.tools[0]).not.toHaveProperty('input_request');
    const approved = given(...asked, event('tool.approved.v1', { arguments: { branch: 'main' } }, { tool: 0 }));
    expect(approved.state.tools[0]).toMatchObject({ status: 'pending', arguments: { branch: 'main' } });
    approved.when(advance).thenAppends('tool.queued.v1');
    const denied = given(...asked, event('tool.denied.v1', {}, { tool: 0 }));
    expect(denied.state.tools[0]).toMatchObject({ status: 'denied' });
  });
  it('runs an idempotent tool again after its attempt was handed back', () => {
    given(...running, event('tool.released.v1', { reason: 'drain' }, { tool: 0, own: true, attempt: 1 }))
      .when(advance)
      .thenAppends('tool.queued.v1');
  });
  it('times out by running time, pauses outside', () => {
    const timed = [acceptedRun({ timeout_ms: 1000 }), startedRun(), queued(0), started(0)];
    given(...timed)
      .when(advance, 999)
      .thenNothing();
    given(...timed)
      .when(advance, 1000)
      .thenAppends('run.cancel_requested.v1', 'tool.cancelled.v1');
    const paused = [...timed, event('run.paused.v1', {}, { ms: 500 }), event('run.resumed.v1', {}, { ms: 5500 })];
    given(...paused)
      .when(advance, 5999)
      .thenNothing();
    given(...paused)
      .when(advance, 6000)
      .thenAppends('run.cancel_requested.v1', 'tool.cancelled.v1');
  });
  it('gives no extra time for a pause before the start', () => {
    const late = [
      acceptedRun({ timeout_ms: 1000 }),
      event('run.paused.v1', {}, { ms: 0 }),
      event('run.resumed.v1', {}, { ms: 5000 }),
      event('run.started.v1', {}, { ms: 5000 }),
      queued(0),
      started(0),
    ];
    given(...late)
      .when(advance, 5999)
      .thenNothing();
    given(...late)
      .when(advance, 6000)
      .thenAppends('run.cancel_requested.v1', 'tool.cancelled.v1');
  });
  it('expires by age, pauses included', () => {
    const old = [
      acceptedRun({ max_age_ms: 1000 }),
      startedRun(),
      queued(0),
      started(0),
      event('run.paused.v1', {}, { ms: 1 }),
    ];
    const { decision } = given(...old).when(advance, 1000);
    expect(decision.ok && decision.drafts[0]).toMatchObject({ data: { cause: 'run_expired' } });
  });
});

describe('When output passes its limit', () => {
  it('keeps where it continues, as long as that attempt is the current one', () => {
    const artifact = { $ref: { artifact: 't1.r.output.x', bytes: 3, sha256: '0'.repeat(64) } };
    const told = event(
      'tool.output.v1',
      { channel: 'toolstream', text: '', artifact },
      { tool: 0, attempt: 1, own: true },
    );
    const events = [acceptedRun(), startedRun(), queued(0), started(0, 1), told];
    expect(given(...events).state.tools[0]?.output_rest).toEqual(artifact);
    expect(given(...events, started(0, 2)).state.tools[0]).not.toHaveProperty('output_rest');
  });
});

describe('When an attempt was replaced', () => {
  const replaced = [acceptedRun(), startedRun(), queued(0), started(0, 1), started(0, 2)];
  it('nothing of the old one counts, not even its end', () => {
    const progress = event('tool.progressed.v1', { stage: 'old' }, { tool: 0, attempt: 1, own: true });
    const { state } = given(...replaced, progress, failed(0, 1), succeeded(0, 1));
    expect(state.tools[0]).toMatchObject({ status: 'running', attempt: 2 });
    expect(state.tools[0]?.progress).toBeUndefined();
  });
});

describe('When paused', () => {
  const paused = [
    acceptedRun({ ordering: 'parallel' }),
    startedRun(),
    queued(0),
    queued(1),
    started(0),
    event('run.paused.v1', {}),
  ];
  it('takes back what no attempt has claimed, on the tool’s own subject', () => {
    const { decision } = given(...paused).when(advance);
    expect(decision.ok && decision.drafts).toMatchObject([
      { type: 'tool.released.v1', writer: 1, data: { reason: 'paused' } },
    ]);
  });
  it('starts nothing new', () => {
    given(...paused, event('tool.released.v1', { reason: 'paused' }, { tool: 1, own: true }), succeeded(0))
      .when(advance)
      .thenNothing();
  });
  it('dispatches anew after the resume', () => {
    const resumed = [
      ...paused,
      event('tool.released.v1', { reason: 'paused' }, { tool: 1, own: true }),
      event('run.resumed.v1', {}),
    ];
    const { decision } = given(...resumed).when(advance);
    expect(decision.ok && decision.drafts).toMatchObject([
      { type: 'tool.queued.v1', data: { dispatch: 2, tool_seq: 7, cause: 'resumed' } },
    ]);
  });
  it('answers a second pause with the first one’s position', () =>
    given(...paused)
      .when(ask('pause'))
      .thenNoted(6));
  it('is still paused when it was never started', () =>
    given(acceptedRun(), event('run.paused.v1', {})).when(advance).thenNothing());
});

describe('When cancelling', () => {
  const running = [
    acceptedRun({ ordering: 'parallel', tools: [plannedTool(0), plannedTool(1), plannedTool(2)] }),
    startedRun(),
    queued(0),
    queued(1),
    started(0),
  ];
  const cancelling = [...running, event('run.cancel_requested.v1', { cause: 'command' }, { ms: 10 })];
  it('cancels what nobody runs: unclaimed on the tool’s subject, undispatched on the run’s', () => {
    const { decision } = given(...cancelling).when(advance, 20);
    expect(decision.ok && decision.drafts).toMatchObject([
      { type: 'tool.cancelled.v1', writer: 1 },
      { type: 'tool.cancelled.v1', writer: 'run', toolindex: 2 },
    ]);
  });
  it('leaves a running tool to its attempt until the grace time is over, then takes it away', () => {
    const left = [
      ...cancelling,
      event('tool.cancelled.v1', {}, { tool: 1, own: true }),
      event('tool.cancelled.v1', {}, { tool: 2 }),
    ];
    given(...left)
      .when(advance, 10 + ABANDON_AFTER_MS - 1)
      .thenNothing();
    given(...left)
      .when(advance, 10 + ABANDON_AFTER_MS)
      .thenAppends('tool.cancelled.v1', 'run.cancelled.v1');
  });
  it('fails for good what fails now', () => {
    expect(given(...cancelling, failed(0, 1, true)).state.tools[0]?.status).toBe('failed');
  });
  it('refuses pause, resume and retry', () => {
    for (const command of [ask('pause'), ask('resume')])
      given(...cancelling)
        .when(command)
        .thenRefused('run_ended');
  });
});
