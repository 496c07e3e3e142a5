import { commandEventId, mayAnswer, type Recorded } from '@toolstream/domain';
import {
  type EventOf,
  isArtifactRef,
  isErrorCode,
  parseCursor,
  type RunCommandName,
  type ToolstreamEvent,
} from '@toolstream/proto-events';
import { commandId } from '../../services/edge/src/requests/idempotency.ts';
import type { Given } from './storm.ts';

const MAKES: Readonly<Record<RunCommandName, string>> = {
  pause: 'run.paused.v1',
  resume: 'run.resumed.v1',
  cancel: 'run.cancel_requested.v1',
  cancel_tool: 'tool.cancel_requested.v1',
  retry_tool: 'tool.retry_requested.v1',
  approve_tool: 'tool.approved.v1',
  deny_tool: 'tool.denied.v1',
};

/** Refusals that a state can be the reason of; everything else would be a fault here. */
const MAY_REFUSE: Readonly<Record<RunCommandName, readonly string[]>> = {
  pause: ['run_ended', 'busy'],
  resume: ['run_ended', 'busy'],
  cancel: ['run_ended', 'busy'],
  cancel_tool: ['run_ended', 'tool_ended', 'busy'],
  retry_tool: ['run_ended', 'tool_ended', 'tool_not_ended', 'busy'],
  approve_tool: ['run_ended', 'tool_ended', 'not_awaiting_approval', 'forbidden', 'invalid', 'busy'],
  deny_tool: ['run_ended', 'tool_ended', 'not_awaiting_approval', 'forbidden', 'busy'],
};

const eventIdOf = ({ command, index, sub, key }: Given): string => commandEventId(commandId(command, index, sub, key));

/** What is wrong with the answers to the commands on one run, given its history. */
export function problemsOfAnswers(given: readonly Given[], log: readonly Recorded[]): string[] {
  const problems: string[] = [];
  const bySeq = new Map(log.map(({ event, seq }) => [seq, event]));
  const byId = new Map(log.map((recorded) => [recorded.event.id, recorded]));
  const answers = new Map<string, string>();
  const plan = log[0]!.event as EventOf<'run.accepted.v1'>;
  for (const command of given) {
    const id = eventIdOf(command);
    const say = (what: string) => problems.push(`${command.command} ${command.index ?? ''} ${command.key}: ${what}`);
    if (command.code !== undefined) {
      if (!isErrorCode(command.code)) say(`refused with ${command.code}, which is not documented`);
      else if (!MAY_REFUSE[command.command].includes(command.code)) say(`refused with ${command.code}`);
      continue;
    }
    const known = answers.get(id);
    if (known !== undefined && known !== command.cursor) say(`answered with ${known}, then with ${command.cursor}`);
    answers.set(id, command.cursor!);
    const made = bySeq.get(parseCursor(command.cursor!)?.seq ?? -1);
    const own = byId.get(id)?.event;
    if (!made) say(`answered with ${command.cursor}, where the run has no event`);
    else if (!own) say('answered, and nothing of it is in the log');
    else for (const problem of problemsOfEvent(command, own, made)) say(problem);
    if (command.command === 'approve_tool' || command.command === 'deny_tool') {
      const { sub: actor, admin } = command;
      if (!mayAnswer(plan.data.tools[command.index!]!, { actor, admin })) say('answered to somebody who may not');
    }
  }
  const issued = new Set(given.map(eventIdOf));
  for (const { event, seq } of log) {
    if (event.id.startsWith('c-') && !issued.has(event.id))
      problems.push(`${seq} ${event.type}: nobody gave this command`);
  }
  // A refusal changes nothing, unless the same command was answered another time.
  for (const command of given) {
    const id = eventIdOf(command);
    if (command.code !== undefined && byId.has(id) && !answers.has(id)) {
      problems.push(`${command.key}: refused with ${command.code}, and in the log all the same`);
    }
  }
  return problems;
}

function problemsOfEvent(command: Given, own: ToolstreamEvent, made: ToolstreamEvent): string[] {
  const problems: string[] = [];
  if (own.actor !== command.sub) problems.push(`given by ${command.sub}, recorded for ${own.actor}`);
  const { reason } = own.data as { reason?: string };
  if (reason !== command.reason) problems.push(`its reason is recorded as ${reason}`);
  if (own.type === 'run.command_noted.v1') {
    // Who resumes a run that was never paused is answered with what began it.
    const began = command.command === 'resume' && made.type === 'run.accepted.v1';
    if (made.type !== MAKES[command.command] && !began) problems.push(`answered with a ${made.type}`);
    if (made.toolindex !== command.index) problems.push(`answered with an event of tool ${made.toolindex}`);
    return problems;
  }
  if (own !== made) problems.push('answered with another event than its own');
  if (own.type !== MAKES[command.command]) problems.push(`made a ${own.type}`);
  if (own.toolindex !== command.index) problems.push(`made an event of tool ${own.toolindex}`);
  if (own.type === 'tool.approved.v1') problems.push(...problemsOfEdit(command, own));
  return problems;
}

function problemsOfEdit(command: Given, { data }: EventOf<'tool.approved.v1'>): string[] {
  const { text } = (command.arguments ?? {}) as { text?: unknown };
  if (typeof text === 'number') return ['arguments that do not fit were approved'];
  if (typeof text !== 'string') return data.arguments === undefined ? [] : ['arguments that nobody wrote'];
  const kept = data.arguments;
  if (text.length > 32 * 1024) return isArtifactRef(kept) ? [] : ['large arguments are no artifact'];
  return JSON.stringify(kept) === JSON.stringify(command.arguments) ? [] : ['the edited arguments are not kept'];
}
