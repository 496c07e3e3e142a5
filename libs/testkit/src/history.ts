import { fold, type Recorded } from '@toolstream/domain';
import { isRunEnded, RUN_END_TYPES, type ToolstreamEvent } from '@toolstream/proto-events';
import { judgeControl } from './history-control.ts';

/**
 * What is wrong with one run's complete history, read from the log in stream order; empty when nothing is. Judges the
 * events themselves, so that a fault of the fold cannot hide one of the log.
 */
export function problemsOfHistory(log: readonly Recorded[], { ended = true } = {}): string[] {
  const problems: string[] = [];
  const say = (recorded: Recorded, what: string) => problems.push(`${recorded.seq} ${recorded.event.type}: ${what}`);
  const tools = new Map<number, ToolHistory>();
  let last = 0;
  let runEnd: string | undefined;
  for (const recorded of log) {
    const { event, seq } = recorded;
    if (seq <= last) say(recorded, `its sequence does not grow (after ${last})`);
    last = seq;
    if (recorded === log[0] && event.type !== 'run.accepted.v1') say(recorded, 'the first event is not run.accepted');
    if (runEnd) say(recorded, `follows the run's end (${runEnd})`);
    if (RUN_END_TYPES.has(event.type)) runEnd = event.type;
    if (event.toolindex !== undefined) judgeTool(recorded, event.toolindex, tools, say);
  }
  judgeControl(log, say);
  if (!ended) return problems;
  if (!runEnd) problems.push('the run has no end');
  const state = fold(log);
  if (!state || !isRunEnded(state.status)) problems.push(`the fold says ${state?.status ?? 'nothing'}, not an end`);
  for (const [index, tool] of tools) if (!tool.over && !tool.gaveUp) problems.push(`tool ${index} has no end`);
  return problems;
}

interface ToolHistory {
  attempt: number;
  over: string | undefined;
  /** The last event was a retryable failure: an end if nothing follows it. */
  gaveUp: boolean;
}

function judgeTool(
  recorded: Recorded,
  index: number,
  tools: Map<number, ToolHistory>,
  say: (recorded: Recorded, what: string) => void,
): void {
  const { event } = recorded;
  const tool = tools.get(index) ?? { attempt: 0, over: undefined, gaveUp: false };
  tools.set(index, tool);
  if (event.type === 'tool.retry_requested.v1') {
    tool.over = undefined;
    tool.gaveUp = false;
    return;
  }
  if (event.type === 'tool.queued.v1') {
    // Only a call that was skipped comes back without a retry of its own: with the retry of what it was skipped for.
    if (tool.over && tool.over !== 'tool.skipped.v1') say(recorded, `follows the end of tool ${index} (${tool.over})`);
    tool.over = undefined;
    tool.gaveUp = false;
    return;
  }
  if (event.type === 'tool.cancel_requested.v1') return;
  if (tool.over) say(recorded, `follows the end of tool ${index} (${tool.over})`);
  if (event.type === 'tool.started.v1') {
    if ((event.attempt ?? 0) <= tool.attempt) say(recorded, `attempt ${event.attempt} after ${tool.attempt}`);
    tool.attempt = event.attempt ?? tool.attempt;
  } else if (event.attempt !== undefined && event.attempt !== tool.attempt) {
    say(recorded, `comes from attempt ${event.attempt} while ${tool.attempt} is the current one`);
  }
  tool.gaveUp = event.type === 'tool.failed.v1' && event.data.retryable;
  if (endsTool(event)) tool.over = event.type;
}

/** A retryable failure is followed by a schedule or a queue if it is no end; a plain one is always an end. */
function endsTool(event: ToolstreamEvent): boolean {
  switch (event.type) {
    case 'tool.succeeded.v1':
    case 'tool.cancelled.v1':
    case 'tool.skipped.v1':
    case 'tool.denied.v1':
      return true;
    case 'tool.failed.v1':
      return !event.data.retryable;
    default:
      return false;
  }
}
