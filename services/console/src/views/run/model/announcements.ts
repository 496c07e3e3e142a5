import { isRunEnded, isToolEnded, type RunState } from '@toolstream/proto-events';
import { callNumber } from './order.ts';
import { runStanding } from './standing.ts';

export interface Announcement {
  /** `alert` interrupts: failures and questions. `status` waits its turn. */
  readonly urgency: 'alert' | 'status';
  readonly text: string;
}

/**
 * What is said aloud of a change. Progress is never said; ends are counted, so that two hundred calls do not make two
 * hundred sentences. Nothing is said of the first state: a page that opens reads itself out.
 */
export function announcements(before: RunState | undefined, now: RunState): Announcement[] {
  if (before === undefined || before === now || before.run_id !== now.run_id) return [];
  const said: Announcement[] = [];
  let ended = 0;
  now.tools.forEach((tool, index) => {
    const was = before.tools[index];
    if (!was || was === tool) return;
    const name = `${callNumber(index)} ${tool.name}`;
    if (tool.attempt > was.attempt && was.attempt > 0)
      said.push({
        urgency: 'status',
        text: `${name}: attempt ${tool.attempt}. What attempt ${was.attempt} wrote no longer counts.`,
      });
    if (was.status === tool.status) return;
    if (tool.status === 'failed') said.push({ urgency: 'alert', text: `${name} failed: ${tool.error?.message ?? ''}` });
    else if (tool.status === 'awaiting_approval') said.push({ urgency: 'alert', text: `${name} waits for an answer.` });
    else if (tool.status === 'retrying')
      said.push({ urgency: 'status', text: `${name}: attempt ${tool.attempt} failed, it is tried again.` });
    if (isToolEnded(tool.status)) ended += 1;
  });
  const done = now.tools.filter((tool) => isToolEnded(tool.status)).length;
  if (isRunEnded(now.status) && !isRunEnded(before.status)) {
    said.push({ urgency: now.status === 'failed' ? 'alert' : 'status', text: `The run ended. ${runStanding(now)}` });
  } else {
    if (before.status !== now.status) said.push({ urgency: 'status', text: runStanding(now) });
    if (ended > 0) said.push({ urgency: 'status', text: `${done} of ${now.tools.length} calls ended.` });
  }
  return said;
}
