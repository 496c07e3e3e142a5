import { isToolEnded, type RunState } from '@toolstream/proto-events';

/**
 * The call that somebody who chose none looks at: one that asks, else the one that was looked at while it goes on, else the
 * first that runs; before and after everything, the first that waits or the last that ended.
 */
export function followedCall(run: RunState, before: number | undefined): number {
  const { tools } = run;
  const asking = tools.find(({ status }) => status === 'awaiting_approval');
  if (asking) return asking.index;
  const current = before === undefined ? undefined : tools[before];
  if (current?.status === 'running' || current?.status === 'retrying') return current.index;
  const active = tools.find(({ status }) => status === 'running') ?? tools.find(({ status }) => status === 'retrying');
  if (active) return active.index;
  if (current && tools.every(({ status }) => isToolEnded(status))) return current.index;
  const waiting = tools.find(({ status }) => !isToolEnded(status));
  const failed = tools.find(({ status }) => status === 'failed');
  return (waiting ?? failed ?? tools.at(-1))?.index ?? 0;
}
