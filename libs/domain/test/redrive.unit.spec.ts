import { describe, expect, it } from 'vitest';
import { type Command, callsToRedrive } from '../src/index.ts';
import { acceptedRun, event, failed, given, plannedTool, queued, started, startedRun } from './given.ts';

const dead = (tool: number, attempt = 1) =>
  event(
    'tool.failed.v1',
    { error: { code: 'dead_letter', message: 'no' }, retryable: false },
    { tool, attempt, own: true },
  );
const redrive = (dispatch: number): Command => ({
  type: 'retry_tool',
  index: 0,
  id: 'k1',
  actor: 'ann',
  dead: dispatch,
});
const live = [acceptedRun({ ordering: 'parallel' }), startedRun(), queued(0), queued(1), started(0), dead(0)];

describe('A dead letter in a live run', () => {
  it('is redriven as a retry of its call', () =>
    given(...live)
      .when(redrive(1))
      .thenAppends('tool.retry_requested.v1'));

  it('is not once the call was run again and failed otherwise', () => {
    const again = [event('tool.retry_requested.v1', {}, { tool: 0 }), queued(0, 2, 2), started(0, 2, 2), failed(0, 2)];
    given(...live, ...again)
      .when(redrive(1))
      .thenRefused('tool_ended');
  });

  it('is not while the call runs again', () =>
    given(...live, event('tool.retry_requested.v1', {}, { tool: 0 }))
      .when(redrive(1))
      .thenRefused('tool_not_ended'));

  it('is told from another dead letter of its call', () => {
    const again = [event('tool.retry_requested.v1', {}, { tool: 0 }), queued(0, 2, 2), started(0, 2, 2), dead(0, 2)];
    given(...live, ...again)
      .when(redrive(1))
      .thenRefused('tool_ended');
  });
});

describe('The calls that a redrive of an ended run runs again', () => {
  const call = { index: 0, call_id: 'call_0', name: 'os-write', arguments: { kept: true }, timeout_ms: 5 };
  const skipped = (tool: number, cause_index: number) =>
    event('tool.skipped.v1', { reason: 'x', cause_index }, { tool });

  it('are the call with its own arguments and what was skipped for its sake', () => {
    const tools = [
      plannedTool(0),
      plannedTool(1, { depends_on: [0] }),
      plannedTool(2, { depends_on: [1] }),
      plannedTool(3),
      plannedTool(4, { depends_on: [0, 3] }),
    ];
    const { state } = given(
      acceptedRun({ ordering: 'graph', tools }),
      startedRun(),
      ...[queued(0), started(0), dead(0), queued(3), started(3), failed(3)],
      ...[skipped(1, 0), skipped(2, 1), skipped(4, 0)],
    );
    expect(callsToRedrive(state, call)).toEqual([
      { call_id: 'call_0', name: 'os-write', arguments: { kept: true }, timeout_ms: 5, depends_on: [] },
      expect.objectContaining({ call_id: 'call_1', depends_on: ['call_0'] }),
      expect.objectContaining({ call_id: 'call_2', depends_on: ['call_1'] }),
    ]);
  });

  it('are the call alone where nothing waited for it, or its run is known no more', () => {
    const { state } = given(...live);
    expect(callsToRedrive(state, call).map(({ call_id }) => call_id)).toEqual(['call_0']);
    expect(callsToRedrive(undefined, call)).toHaveLength(1);
  });
});
