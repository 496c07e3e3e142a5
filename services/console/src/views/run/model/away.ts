import { isRunEnded, isToolEnded, type RunState, type SnapshotReason } from '@toolstream/proto-events';

/** What is said after a stretch that was not sent event by event. */
export interface AwayNotice {
  readonly title: string;
  readonly changes: readonly string[];
}

const TITLES: Readonly<Record<Exclude<SnapshotReason, 'cold'>, string>> = {
  gap: 'You were away for a while, and what happened could not be sent step by step. This is how the run stands now.',
  slow: 'This page could not keep up, so some steps were left out. This is how the run stands now.',
  epoch:
    'The event log was restored from another copy. What was shown before may differ; this is how the run stands now.',
};

/** The words for a snapshot that stands for a stretch; a `cold` one is simply the beginning. */
export function awayNotice(
  reason: SnapshotReason,
  before: RunState | undefined,
  now: RunState,
): AwayNotice | undefined {
  if (reason === 'cold') return undefined;
  return { title: TITLES[reason], changes: before === undefined ? [] : changesBetween(before, now) };
}

/** How a later state of the same run differs, in words: what somebody who was away wants to know. */
export function changesBetween(before: RunState, now: RunState): string[] {
  const changes: string[] = [];
  const counts = new Map<string, number>();
  now.tools.forEach((tool, index) => {
    const was = before.tools[index];
    if (!was || was === tool) return;
    const word = isToolEnded(tool.status) && !isToolEnded(was.status) ? ENDED[tool.status] : STARTED[tool.status];
    if (word !== undefined && was.status !== tool.status) counts.set(word, (counts.get(word) ?? 0) + 1);
    if (tool.attempt > was.attempt && was.attempt > 0) counts.set(AGAIN, (counts.get(AGAIN) ?? 0) + 1);
  });
  for (const [word, n] of counts) changes.push(`${n} ${n === 1 ? 'call' : 'calls'} ${word}`);
  if (before.status !== now.status && (isRunEnded(now.status) || now.status === 'paused' || before.status === 'paused'))
    changes.push(`the run is now ${now.status}`);
  return changes;
}

const AGAIN = 'began another attempt';
const ENDED: Readonly<Record<string, string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'cancelled',
  skipped: 'skipped',
  denied: 'denied',
};
const STARTED: Readonly<Record<string, string>> = {
  running: 'started',
  awaiting_approval: 'waiting for an approval',
};
