import { isRunEnded, isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import { advance } from './advance.ts';
import { mayAnswer } from './approvals.ts';
import { isDeadOf, since } from './redrive.ts';
import { laterOf } from './time.ts';
import { accept, already, type Command, type Decision, type Draft, type Now, reject } from './types.ts';

/** The id of the event that a command makes: how a repetition of the command is recognised. */
export const commandEventId = (commandId: string): string => `c-${commandId}`;

/**
 * What a command makes of a run: events to append in order, or a refusal that changes nothing. The caller appends each
 * draft with the fence of its writer and asks to `advance` afterwards.
 */
export function decide(command: Command, state: RunState, now: Now): Decision {
  switch (command.type) {
    case 'advance':
      return accept(...advance(state, now));
    case 'timer':
      // Judged at the time it was set for, at least: a timer that fires a moment early must not be lost.
      return accept(...advance(state, { ...now, at: laterOf(now.at, command.timer.due_at) }));
    case 'dead_letter':
      return deadLetter(command, state);
    default: {
      const repeated = state.commands[commandEventId(command.id)];
      if (repeated !== undefined) return already(repeated);
      if (isRunEnded(state.status))
        return reject('run_ended', `The run has ended: it ${ENDED[state.status] ?? 'ended'}.`);
      return onLiveRun(command, state);
    }
  }
}

type AskedCommand = Extract<Command, { id: string }>;
const ENDED: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'was cancelled',
};

const by = (command: AskedCommand): { id: string; actor: string } => ({
  id: commandEventId(command.id),
  actor: command.actor,
});

function onLiveRun(command: AskedCommand, state: RunState): Decision {
  const data = { reason: command.reason };
  switch (command.type) {
    case 'pause':
      if (state.status === 'paused') return noted(command, state.marks.pause ?? state.run_seq);
      if (state.status === 'cancelling') return reject('run_ended', 'The run is being cancelled; it cannot be paused.');
      return accept({ type: 'run.paused.v1', writer: 'run', data, ...by(command) });
    case 'resume':
      if (state.status === 'cancelling')
        return reject('run_ended', 'The run is being cancelled; it cannot be resumed.');
      if (state.status !== 'paused') return noted(command, state.marks.resume ?? state.accepted_seq);
      return accept({ type: 'run.resumed.v1', writer: 'run', data, ...by(command) });
    case 'cancel':
      if (state.status === 'cancelling') return noted(command, state.marks.cancel ?? state.run_seq);
      return accept({
        type: 'run.cancel_requested.v1',
        writer: 'run',
        data: { ...data, cause: 'command' },
        ...by(command),
      });
    default: {
      const tool = state.tools[command.index];
      if (!tool) return reject('not_found', `The run has no tool call ${command.index}; it has ${state.tools.length}.`);
      return onTool(command, state, tool);
    }
  }
}

/** What was asked for is so already. That it was asked is on record, so that a repetition gets the same answer. */
function noted(command: AskedCommand, seq: number): Decision {
  const index = 'index' in command ? { index: command.index } : {};
  const data = { reason: command.reason, command: command.type, ...index, seq };
  return { ok: true, drafts: [{ type: 'run.command_noted.v1', writer: 'run', data, ...by(command) }], seq };
}

type ToolCommand = Extract<AskedCommand, { index: number }>;

function onTool(command: ToolCommand, state: RunState, tool: ToolState): Decision {
  const mark = (name: string): number | undefined => state.marks[`tool.${tool.index}.${name}`];
  const make = (draft: Pick<Draft, 'type' | 'data'>): Decision =>
    accept({ ...draft, writer: 'run', toolindex: tool.index, ...by(command) } as Draft);
  const data = { reason: command.reason };
  switch (command.type) {
    case 'cancel_tool':
      if (isToolEnded(tool.status)) return reject('tool_ended', `The tool call has ended: ${tool.status}.`);
      if (tool.cancel) return noted(command, mark('cancel') ?? state.run_seq);
      return make({ type: 'tool.cancel_requested.v1', data });
    case 'retry_tool':
      if (!isToolEnded(tool.status)) {
        return reject('tool_not_ended', `The tool call is ${tool.status}; only an ended one can be retried.`);
      }
      if (tool.status === 'succeeded')
        return reject('tool_ended', 'The tool call succeeded; there is nothing to retry.');
      if (state.status === 'cancelling')
        return reject('run_ended', 'The run is being cancelled; nothing can be retried.');
      if (command.dead !== undefined && !isDeadOf(tool, command.dead)) return reject('tool_ended', since(tool));
      return make({ type: 'tool.retry_requested.v1', data });
    case 'approve_tool':
    case 'deny_tool': {
      const wish = command.type === 'approve_tool' ? 'approve' : 'deny';
      const made = wish === 'approve' ? 'approved' : 'denied';
      if (!mayAnswer(tool, command)) return reject('forbidden', notAllowed(tool));
      if (tool.approval?.decision === made) return noted(command, mark(wish) ?? state.run_seq);
      if (isToolEnded(tool.status)) return reject('tool_ended', `The tool call has ended: ${tool.status}.`);
      if (tool.status !== 'awaiting_approval') {
        return reject('not_awaiting_approval', `The tool call is ${tool.status}; it does not wait for an approval.`);
      }
      if (command.type === 'approve_tool' && command.misfit !== undefined) return reject('invalid', command.misfit);
      return command.type === 'approve_tool'
        ? make({ type: 'tool.approved.v1', data: { ...data, arguments: command.arguments } })
        : make({ type: 'tool.denied.v1', data });
    }
  }
}

const notAllowed = ({ name, approvers }: ToolState): string =>
  `Calls of ${name} are approved or denied ${approvers === 'admin' ? 'with the scope admin only' : 'by those whom the tool names, or with the scope admin'}.`;

/** Ends a tool whose job was delivered too often; nothing if another job or an end has overtaken it. */
function deadLetter(command: Extract<Command, { type: 'dead_letter' }>, state: RunState): Decision {
  const tool = state.tools[command.index];
  if (!tool || isRunEnded(state.status)) return accept();
  const holds =
    (tool.status === 'queued' && tool.dispatch === command.dispatch) ||
    (tool.status === 'running' && tool.claimed_dispatch === command.dispatch);
  if (!holds) return accept();
  const data = { error: { code: 'dead_letter', message: command.message }, retryable: false };
  const attempt = tool.status === 'running' ? { attempt: tool.attempt } : {};
  return accept({ type: 'tool.failed.v1', writer: tool.index, toolindex: tool.index, data, ...attempt });
}
