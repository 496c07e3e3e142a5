import { mayAnswer } from '@toolstream/domain';
import { isRunEnded, isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';

/** Who looks at the run: from the token. */
export interface Viewer {
  readonly actor: string;
  readonly admin: boolean;
  /** May pause, cancel, retry and answer. */
  readonly control: boolean;
  /** May hand over runs, and so run one again. */
  readonly write: boolean;
}

export interface Offer {
  readonly offered: boolean;
  /** Why it cannot be done now, where that is worth saying. */
  readonly why?: string;
}

const OFFERED: Offer = { offered: true };
const NOT: Offer = { offered: false };
const READ_ONLY: Offer = { offered: false, why: 'Your token may watch, not control (scope runs:control).' };

export interface RunOffers {
  readonly pause: Offer;
  readonly resume: Offer;
  readonly cancel: Offer;
  readonly rerun: Offer;
}

/** What can be asked of the run now. What the service would refuse is not offered. */
export function runOffers(run: Pick<RunState, 'status'>, viewer: Viewer): RunOffers {
  const live = isLive(run);
  return {
    pause: steering(live && run.status !== 'paused', viewer),
    resume: steering(run.status === 'paused', viewer),
    cancel: steering(live, viewer),
    rerun: viewer.write ? OFFERED : { offered: false, why: 'Your token may not start runs (scope runs:write).' },
  };
}

export interface ToolOffers {
  readonly cancel: Offer;
  readonly retry: Offer;
  readonly answer: Offer;
}

export function toolOffers(run: Pick<RunState, 'status'>, tool: ToolState, viewer: Viewer): ToolOffers {
  const live = isLive(run);
  const ended = isToolEnded(tool.status);
  const answer = steering(live && tool.status === 'awaiting_approval', viewer);
  return {
    cancel: steering(live && !ended && tool.cancel === undefined, viewer),
    retry: steering(live && ended && tool.status !== 'succeeded', viewer),
    answer: answer.offered && !mayAnswer(tool, viewer) ? notAmong(tool) : answer,
  };
}

const isLive = ({ status }: Pick<RunState, 'status'>): boolean => !isRunEnded(status) && status !== 'cancelling';

const steering = (possible: boolean, { control }: Viewer): Offer => (!possible ? NOT : control ? OFFERED : READ_ONLY);

const notAmong = (tool: ToolState): Offer => ({
  offered: false,
  why: `You are not among those who may answer. ${whoMayAnswer(tool)}`,
});

/** Who may approve or deny, as a sentence. */
export function whoMayAnswer({ approvers = 'control' }: Pick<ToolState, 'approvers'>): string {
  if (approvers === 'control') return 'Anybody who may control runs can answer.';
  if (approvers === 'admin') return 'Only an admin can answer.';
  return `${new Intl.ListFormat('en', { type: 'disjunction' }).format(approvers)}, or an admin, can answer.`;
}
