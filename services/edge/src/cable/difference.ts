import { isRunEnded, isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import {
  type CableMessage,
  completed,
  ended,
  executionCancelled,
  executionComplete,
  executionPaused,
  executionResumed,
  executionStarted,
  progressed,
  queueInitialized,
  saysComplete,
  starting,
  waiting,
} from './messages.ts';

/** Draws a run on a page that shows nothing of it. `listed`: the page shows its calls, but nobody knows how far. */
export function drawing(run: RunState, { listed = false } = {}): CableMessage[] {
  const list = listed ? [] : [queueInitialized(run), executionStarted(run)];
  return [...list, ...changes(undefined, run)];
}

/**
 * What a page that shows `before` must be told to show `after`. It makes no difference whether one event lies between the
 * two or a thousand that were folded or skipped: every call is told as complete once, and with its last progress.
 */
export function difference(before: RunState | undefined, after: RunState): CableMessage[] {
  return before ? [...changes(before, after)] : drawing(after);
}

function* changes(before: RunState | undefined, after: RunState): Generator<CableMessage> {
  for (const tool of after.tools) {
    const shown = before?.tools[tool.index];
    if (shown !== tool) yield* toolChanges(after, shown, tool);
  }
  const over = isRunEnded(after.status);
  if (after.cancel && !before?.cancel) yield executionCancelled(after);
  else if (after.paused_at !== undefined && before?.paused_at !== after.paused_at) yield executionPaused(after);
  else if (before?.paused_at !== undefined && after.paused_at === undefined && !over) yield executionResumed(after);
  if (over && !(before && isRunEnded(before.status))) yield executionComplete(after);
}

function* toolChanges(run: RunState, before: ToolState | undefined, tool: ToolState): Generator<CableMessage> {
  // Of another attempt's progress nothing is left to see.
  const shown = before?.attempt === tool.attempt ? before : undefined;
  const news = tool.progress && !isSame(shown?.progress, tool.progress) ? tool.progress : undefined;
  if (isToolEnded(tool.status)) {
    if (before && isToolEnded(before.status) && before.ended_at === tool.ended_at) return;
    if (tool.status === 'succeeded') {
      if (news || !shown?.progress || !saysComplete(shown.progress)) yield completed(run, tool);
    } else if (news) {
      yield progressed(run, tool, news);
    }
    yield ended(run, tool);
    return;
  }
  if (tool.status === 'running' && !(shown?.status === 'running')) yield starting(run, tool);
  if (news) yield progressed(run, tool, news);
  const stuck = tool.status === 'awaiting_approval' || tool.status === 'retrying';
  if (stuck ? before?.status !== tool.status : before !== undefined && isToolEnded(before.status)) {
    yield waiting(run, tool);
  }
}

/** A snapshot brings equal values in other objects. */
const isSame = (a: ToolState['progress'], b: ToolState['progress']): boolean =>
  a === b || (a !== undefined && JSON.stringify(a) === JSON.stringify(b));
