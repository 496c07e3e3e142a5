import { isRunEnded, isToolEnded, type RunState } from '@toolstream/proto-events';
import { counted, duration } from '../../../format/index.ts';

/** What is said to whoever could not follow every step. */
export interface AwayNotice {
  readonly title: string;
  readonly changes: readonly string[];
}

const TITLES: Readonly<Record<string, string>> = {
  gap: 'You were away, and what happened could not be sent step by step. This is how the run stands now.',
  slow: 'This page could not keep up, so some steps were left out. This is how the run stands now.',
  epoch:
    'The event log was restored from another copy. What was shown before may differ; this is how the run stands now.',
};

/** The words for a snapshot that stands for a stretch; a `cold` one is simply the beginning. */
export function awayNotice(reason: string, before: RunState | undefined, now: RunState): AwayNotice | undefined {
  if (reason === 'cold') return undefined;
  return { title: TITLES[reason] ?? TITLES.gap!, changes: before === undefined ? [] : changesBetween(before, now) };
}

/** Where every step arrived, only later. */
export const interruptedFor = (ms: number): string =>
  `You were away for ${duration(ms)}. Nothing is missing; this happened meanwhile:`;

/** How a later state of the same run differs, in words. */
export function changesBetween(before: RunState, now: RunState): string[] {
  const counts = new Map<string, number>();
  const add = (word: string | undefined) => {
    if (word !== undefined) counts.set(word, (counts.get(word) ?? 0) + 1);
  };
  now.tools.forEach((tool, index) => {
    const was = before.tools[index];
    if (!was || was === tool) return;
    if (was.status !== tool.status) add(isToolEnded(tool.status) ? tool.status : BEGAN[tool.status]);
    if (tool.attempt > was.attempt && was.attempt > 0) add('began another attempt');
  });
  const changes = [...counts].map(([word, n]) => `${counted(n, 'call')} ${word}`);
  const turned = isRunEnded(now.status) || now.status === 'paused' || before.status === 'paused';
  if (before.status !== now.status && turned) changes.push(`the run is now ${now.status}`);
  return changes;
}

const BEGAN: Readonly<Record<string, string>> = { running: 'started', awaiting_approval: 'waiting for an answer' };
