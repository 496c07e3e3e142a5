import type { Recorded } from '@toolstream/domain';
import { commandEventId } from '@toolstream/domain';
import type { ToolstreamEvent } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { commandId } from '../../services/edge/src/requests/idempotency.ts';
import { problemsOfAnswers } from './judge.ts';
import type { Given } from './storm.ts';

const given = (over: Partial<Given> = {}): Given => ({
  sub: 'ann',
  admin: false,
  command: 'pause',
  index: undefined,
  key: 'k1',
  reason: 'lunch',
  cursor: 'e.0:2',
  ...over,
});
const idOf = (key: string, command = 'pause', index?: number) => commandEventId(commandId(command, index, 'ann', key));
const recorded = (seq: number, type: string, over: object = {}): Recorded => ({
  seq,
  event: {
    id: `e${seq}`,
    type,
    actor: 'ann',
    data: { reason: 'lunch', tools: [{ approvers: ['bob'] }] },
    ...over,
  } as unknown as ToolstreamEvent,
});
const log = (...more: Recorded[]): Recorded[] => [recorded(1, 'run.accepted.v1'), ...more];
const paused = recorded(2, 'run.paused.v1', { id: idOf('k1') });
const noted = (seq: number, key: string) =>
  recorded(seq, 'run.command_noted.v1', { id: idOf(key), data: { reason: 'lunch', command: 'pause', seq: 2 } });

describe('The answers to commands', () => {
  it('are right where each names its own event or the one that had made it so', () => {
    expect(problemsOfAnswers([given(), given()], log(paused))).toEqual([]);
    expect(problemsOfAnswers([given(), given({ key: 'k2' })], log(paused, noted(3, 'k2')))).toEqual([]);
    expect(problemsOfAnswers([given({ code: 'run_ended' })], log())).toEqual([]);
  });

  it.each<[string, Given[], Recorded[]]>([
    [
      'answered with e.0:2, then with e.0:4',
      [given(), given({ cursor: 'e.0:4' })],
      log(paused, recorded(4, 'run.paused.v1')),
    ],
    ['where the run has no event', [given({ cursor: 'e.0:9' })], log(paused)],
    ['nothing of it is in the log', [given({ key: 'k2' })], log(recorded(2, 'run.paused.v1'))],
    ['answered with a run.resumed.v1', [given({ key: 'k2' })], log(recorded(2, 'run.resumed.v1'), noted(3, 'k2'))],
    ['recorded for eve', [given()], log({ ...paused, event: { ...paused.event, actor: 'eve' } })],
    ['its reason is recorded as', [given({ reason: 'dinner' })], log(paused)],
    ['nobody gave this command', [], log(paused)],
    ['refused with teapot, which is not documented', [given({ code: 'teapot' })], log()],
    ['refused with tool_ended', [given({ code: 'tool_ended' })], log()],
    ['in the log all the same', [given({ code: 'busy' })], log(paused)],
    [
      'answered to somebody who may not',
      [given({ command: 'deny_tool', index: 0 })],
      log(recorded(2, 'tool.denied.v1', { id: idOf('k1', 'deny_tool', 0), toolindex: 0 })),
    ],
    [
      'arguments that do not fit were approved',
      [given({ command: 'approve_tool', index: 0, admin: true, arguments: { text: 7 } })],
      log(recorded(2, 'tool.approved.v1', { id: idOf('k1', 'approve_tool', 0), toolindex: 0 })),
    ],
  ])('are not: %s', (problem, commands, history) => {
    expect(problemsOfAnswers(commands, history).join('\n')).toContain(problem);
  });
});
