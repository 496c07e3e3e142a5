import { isRunEnded, isToolEnded, type RunState } from '@toolstream/proto-events';
import { callNumber } from './order.ts';
import { runStanding } from './standing.ts';

/** What is said aloud of a change; a part that is empty is not said. */
export interface Announcement {
  /** Failures and questions, at once. */
  readonly alert: string;
  /** Milestones, when nothing else is said. */
  readonly status: string;
}

const SILENCE: Announcement = { alert: '', status: '' };
/** So many calls are named; of more only the number is said. */
const NAMED = 3;

/**
 * Progress is never said; ends are counted, so that two hundred calls do not make two hundred sentences. Nothing is said of
 * the first state: a page that opens reads itself out.
 */
export function announcement(before: RunState | undefined, now: RunState): Announcement {
  if (before === undefined || before === now || before.run_id !== now.run_id) return SILENCE;
  const failed: string[] = [];
  const asking: string[] = [];
  const again: string[] = [];
  let ended = 0;
  now.tools.forEach((tool, index) => {
    const was = before.tools[index];
    if (!was || was === tool) return;
    const name = `${callNumber(index)} ${tool.name}`;
    if (tool.attempt > was.attempt && was.attempt > 0)
      again.push(`${name}: attempt ${tool.attempt}. What attempt ${was.attempt} wrote no longer counts.`);
    if (was.status === tool.status) return;
    if (tool.status === 'failed') failed.push(`${name} failed: ${tool.error?.message ?? ''}`);
    if (tool.status === 'awaiting_approval') asking.push(`${name} waits for an answer.`);
    if (tool.status === 'retrying') again.push(`${name}: attempt ${tool.attempt} failed, it is tried again.`);
    if (isToolEnded(tool.status)) ended += 1;
  });
  const alerts = [...few(failed, 'calls failed.'), ...few(asking, 'calls wait for an answer.')];
  const milestones = few(again, 'calls began another attempt.');
  if (isRunEnded(now.status) && !isRunEnded(before.status)) {
    (now.status === 'failed' ? alerts : milestones).push(`The run ended. ${runStanding(now)}`);
  } else {
    if (before.status !== now.status) milestones.push(runStanding(now));
    const done = now.tools.filter((tool) => isToolEnded(tool.status)).length;
    if (ended > 0) milestones.push(`${done} of ${now.tools.length} calls ended.`);
  }
  return { alert: alerts.join(' '), status: milestones.join(' ') };
}

const few = (sentences: readonly string[], many: string): string[] =>
  sentences.length > NAMED ? [`${sentences.length} ${many}`] : [...sentences];
