import {
  type EventOf,
  isRunEnded,
  isToolEnded,
  type RunState,
  type RunStatus,
  type ToolState,
  type ToolstreamEvent,
  writerOf,
} from '@toolstream/proto-events';
import { afterPause } from './approvals.ts';
import { controlOf, evolveControl } from './control.ts';
import { evolveTool } from './evolve-tool.ts';
import { known } from './known.ts';
import { replaceTool } from './replace-tool.ts';
import { between } from './time.ts';
import type { Recorded } from './types.ts';

const COMMANDS_KEPT = 256;

/**
 * The one fold. Total: whatever the order or repetition, the result is a legal state. Events at or below the state's
 * position are ignored (redelivery); events that a state does not admit (a zombie's, or what follows an end) move the
 * positions and nothing else. Tools that an event does not touch keep their object identity.
 */
export function evolve(state: RunState | undefined, { event, seq }: Recorded): RunState | undefined {
  if (!state) return event.type === 'run.accepted.v1' ? accepted(event, seq) : undefined;
  if (seq <= state.seq) return state;
  const next = positioned(state, event, seq);
  if (isRunEnded(state.status)) return next;
  const changed = event.type.startsWith('run.') ? evolveRun(next, event) : evolveTool(next, event);
  return remembered(changed, event, seq);
}

export function fold(events: Iterable<Recorded>, state?: RunState): RunState | undefined {
  let current = state;
  for (const recorded of events) current = evolve(current, recorded);
  return current;
}

function accepted(event: EventOf<'run.accepted.v1'>, seq: number): RunState {
  const { tools, message_id, rerun_of, ...plan } = event.data;
  return {
    run_id: event.runid,
    tenant: event.tenant,
    app: event.app,
    ...known({ message_id }),
    status: 'accepted',
    ...plan,
    ...known({ rerun_of, actor: event.actor, traceparent: event.traceparent }),
    seq,
    accepted_seq: seq,
    run_seq: seq,
    accepted_at: event.time,
    paused_ms: 0,
    tools: tools.map((tool) => ({
      ...tool,
      status: 'pending',
      attempt: 0,
      dispatch: 0,
      claimed_dispatch: 0,
      tool_seq: 0,
      failures: 0,
    })),
    marks: {},
    commands: {},
  };
}

/** Moves the positions that fences compare: the run's and, for an event on a tool's subject, that tool's. */
function positioned(state: RunState, event: ToolstreamEvent, seq: number): RunState {
  const writer = writerOf(event);
  if (writer === 'run') return { ...state, seq, run_seq: seq };
  return replaceTool({ ...state, seq }, writer, (tool) => ({ ...tool, tool_seq: seq }));
}

function evolveRun(state: RunState, event: ToolstreamEvent): RunState {
  const before = controlOf(state);
  const after = evolveControl(before, event);
  if (event.type === 'run.started.v1') {
    if (state.started_at !== undefined || after.cancelling) return state;
    return { ...state, started_at: event.time, status: after.paused ? 'paused' : 'running' };
  }
  if (after === before) return state;
  if (after.ended && !state.tools.every((tool) => isToolEnded(tool.status))) return state;
  const next = before.paused && !after.paused ? unpaused(state, event.time) : { ...state };
  switch (event.type) {
    case 'run.paused.v1':
      return { ...next, status: 'paused', paused_at: event.time, marks: { ...next.marks, pause: state.seq } };
    case 'run.resumed.v1':
      return { ...next, status: liveStatus(next), marks: { ...next.marks, resume: state.seq } };
    case 'run.cancel_requested.v1':
      return {
        ...next,
        status: 'cancelling',
        cancel: {
          cause: event.data.cause,
          requested_at: event.time,
          ...known({ reason: event.data.reason, actor: event.actor }),
        },
        marks: { ...next.marks, cancel: state.seq },
      };
    case 'run.succeeded.v1':
      return { ...next, status: 'succeeded', ended_at: event.time, summary: event.data.summary };
    case 'run.failed.v1':
      return { ...next, status: 'failed', ended_at: event.time, summary: event.data.summary, error: event.data.error };
    case 'run.cancelled.v1':
      return { ...next, status: 'cancelled', ended_at: event.time, summary: event.data.summary };
    default:
      return next;
  }
}

const liveStatus = (state: RunState): RunStatus => (state.started_at === undefined ? 'accepted' : 'running');

function unpaused(state: RunState, at: string): RunState {
  const { paused_at, ...rest } = state;
  const tools =
    paused_at === undefined ? state.tools : sameIfEqual(state.tools, (tool) => afterPause(tool, paused_at, at));
  // A pause before the start is no part of the running time that the run's deadline counts.
  const counts = paused_at !== undefined && state.started_at !== undefined;
  return { ...rest, tools, paused_ms: state.paused_ms + (counts ? between(paused_at, at) : 0) };
}

/** The list itself where no tool changes. */
function sameIfEqual(tools: ToolState[], change: (tool: ToolState) => ToolState): ToolState[] {
  const changed = tools.map(change);
  return changed.every((tool, index) => tool === tools[index]) ? tools : changed;
}

/**
 * Ids of command-made events start with `c-`; the newest are kept so that a repeated command is answered, not done again,
 * also where it changed nothing: what it asked for may have been undone meanwhile.
 */
function remembered(state: RunState, event: ToolstreamEvent, seq: number): RunState {
  if (!event.id.startsWith('c-') || Object.hasOwn(state.commands, event.id)) return state;
  // A command that changed nothing is answered with the event that had made it so.
  const answer = event.type === 'run.command_noted.v1' ? event.data.seq : seq;
  const entries = [...Object.entries(state.commands), [event.id, answer] as const];
  return { ...state, commands: Object.fromEntries(entries.slice(-COMMANDS_KEPT)) };
}
