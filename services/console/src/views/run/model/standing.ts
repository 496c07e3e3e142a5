import type { RunState, ToolState } from '@toolstream/proto-events';
import { duration } from '../../../format/index.ts';
import { callNumber, callNumbers, waitsFor } from './order.ts';
import { queueMs } from './timing.ts';

/** What a call is doing, or what became of it, in a sentence without its name. */
export function standingOf(run: RunState, tool: ToolState, now: number): string {
  if (tool.cancel && tool.ended_at === undefined) return cancelling(tool.cancel, now);
  switch (tool.status) {
    case 'pending':
      return pending(run, tool);
    case 'queued':
      return `In the queue for ${duration(queueMs(tool, now) ?? 0)}: the next free executor takes it`;
    case 'running':
      return running(run, tool);
    case 'retrying':
      return `Attempt ${tool.attempt} failed; ${nextAttempt(tool, now)}`;
    case 'awaiting_approval':
      return WAITS[tool.approval?.reason ?? 'policy'];
    case 'succeeded':
      return tool.attempt > 1 ? `Done, at attempt ${tool.attempt}` : 'Done';
    case 'failed':
      return tool.error?.message ?? 'Failed';
    case 'cancelled':
      return tool.cancel
        ? said('Cancelled', tool.cancel)
        : run.cancel
          ? said('Cancelled with the run', run.cancel)
          : 'Cancelled';
    case 'skipped':
      return tool.skip_cause === undefined
        ? (tool.skip_reason ?? 'Skipped')
        : `Skipped: it depends on ${callNumber(tool.skip_cause)}, which did not succeed`;
    case 'denied':
      return denied(tool.approval);
  }
}

const WAITS: Readonly<Record<NonNullable<ToolState['approval']>['reason'], string>> = {
  policy: 'Waits for somebody to allow it',
  lost_attempt: 'Its executor was lost halfway: may it run again?',
  input: 'Asks a question before it goes on',
};

function pending(run: RunState, tool: ToolState): string {
  const others = waitsFor(run, tool);
  if (others.length > 0) return `Waits for ${callNumbers(others)}`;
  if (run.status === 'paused') return 'Held: the run is paused';
  if (tool.released === 'lost') return 'Its executor was lost; it is given to another one';
  if (tool.released === 'drain') return 'Its executor is being replaced; it is given to another one';
  return 'About to be queued';
}

function running(run: RunState, tool: ToolState): string {
  const doing = tool.progress?.message ?? tool.progress?.stage ?? 'Running';
  if (run.status !== 'paused') return doing;
  return tool.pause === 'finish' ? `${doing} (goes on through the pause)` : `Paused. Last: ${doing}`;
}

function nextAttempt(tool: ToolState, now: number): string {
  if (tool.retry_at === undefined) return 'it is tried again';
  const left = Date.parse(tool.retry_at) - now;
  return left > 0
    ? `attempt ${tool.attempt + 1} in ${duration(left)}`
    : `attempt ${tool.attempt + 1} is about to start`;
}

function cancelling({ requested_at, acknowledged_at, actor }: NonNullable<ToolState['cancel']>, now: number): string {
  const ago = duration(Math.max(0, now - Date.parse(requested_at)));
  const asked = `asked by ${actor ?? 'somebody'} ${ago} ago`;
  return acknowledged_at === undefined ? `Cancelling, ${asked}` : `Stopping, ${asked}`;
}

function said(what: string, { actor, reason }: { actor?: string | undefined; reason?: string | undefined }): string {
  const by = actor === undefined ? '' : ` by ${actor}`;
  return `${what}${by}${reason === undefined ? '' : `: ${reason}`}`;
}

function denied(approval: ToolState['approval']): string {
  if (approval?.expired) return 'Denied: nobody answered in time';
  return said('Denied', { actor: approval?.actor, reason: approval?.comment });
}

/** The run as a whole. */
export function runStanding(run: RunState): string {
  switch (run.status) {
    case 'accepted':
      return 'Accepted; it is about to start.';
    case 'running': {
      const asking = run.tools.filter((tool) => tool.status === 'awaiting_approval').length;
      if (asking === 0) return 'Running.';
      return asking === 1 ? 'Running; one call waits for an answer.' : `Running; ${asking} calls wait for an answer.`;
    }
    case 'paused':
      return 'Paused: calls that run are held at their next report, and no other one starts.';
    case 'cancelling':
      return run.cancel?.cause === 'command'
        ? `${said('Being cancelled', run.cancel)}.`
        : run.cancel?.cause === 'run_timeout'
          ? 'Being ended: the run took longer than it may.'
          : 'Being ended: the run is older than it may become.';
    case 'succeeded':
      return 'Every call succeeded.';
    case 'failed':
      return run.error?.message ?? 'Not every call succeeded.';
    case 'cancelled':
      return run.cancel ? `${said('Cancelled', run.cancel)}.` : 'Cancelled.';
  }
}
