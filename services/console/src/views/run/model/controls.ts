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
  const live = !isRunEnded(run.status) && run.status !== 'cancelling';
  const asked = (possible: boolean): Offer => (!possible ? NOT : viewer.control ? OFFERED : READ_ONLY);
  return {
    pause: asked(live && run.status !== 'paused'),
    resume: asked(run.status === 'paused'),
    cancel: asked(live),
    rerun: viewer.write ? OFFERED : { offered: false, why: 'Your token may not start runs (scope runs:write).' },
  };
}

export interface ToolOffers {
  readonly cancel: Offer;
  readonly retry: Offer;
  readonly answer: Offer;
}

export function toolOffers(run: Pick<RunState, 'status'>, tool: ToolState, viewer: Viewer): ToolOffers {
  const live = !isRunEnded(run.status) && run.status !== 'cancelling';
  const ended = isToolEnded(tool.status);
  const asked = (possible: boolean): Offer => (!possible ? NOT : viewer.control ? OFFERED : READ_ONLY);
  return {
    cancel: asked(live && !ended && tool.cancel === undefined),
    retry: asked(live && ended && tool.status !== 'succeeded'),
    answer: answer(live && tool.status === 'awaiting_approval', tool, viewer),
  };
}

function answer(possible: boolean, tool: ToolState, viewer: Viewer): Offer {
  if (!possible) return NOT;
  if (!viewer.control) return READ_ONLY;
  if (mayAnswer(tool, viewer)) return OFFERED;
  return { offered: false, why: `You are not among those who may answer. ${whoMayAnswer(tool)}` };
}

/** Who may approve or deny, as a sentence. */
export function whoMayAnswer({ approvers = 'control' }: Pick<ToolState, 'approvers'>): string {
  if (approvers === 'control') return 'Anybody who may control runs can answer.';
  if (approvers === 'admin') return 'Only an admin can answer.';
  return `${new Intl.ListFormat('en', { type: 'disjunction' }).format(approvers)}, or an admin, can answer.`;
}
