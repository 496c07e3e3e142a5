import { isToolEnded, type RunListItem, type RunState, type RunStatus } from '@toolstream/proto-events';
import { counted } from '../../format/index.ts';

/** What a row shows of a run. */
export interface RunRow {
  readonly status: RunStatus;
  readonly ended: number;
  readonly total: number;
  /** 0–100: of the calls that ended, and of the measured part of those that run. */
  readonly progress: number;
  readonly waiting: number;
  readonly failed: number;
  readonly acceptedAt: string;
  readonly startedAt: string | undefined;
  readonly endedAt: string | undefined;
}

/** The list's word on a run, or the folded state of one that is followed: that is newer until the list knows of the end. */
export const rowOf = (item: RunListItem, live: RunState | undefined): RunRow =>
  live === undefined || item.ended_at !== undefined ? listed(item) : followed(live);

function listed(item: RunListItem): RunRow {
  const { status, tools_ended: ended, tools_total: total, summary } = item;
  return {
    status,
    ended,
    total,
    progress: total === 0 ? 0 : (100 * ended) / total,
    waiting: item.awaiting_approval ?? 0,
    failed: summary?.failed ?? 0,
    acceptedAt: item.accepted_at,
    startedAt: item.started_at,
    endedAt: item.ended_at,
  };
}

function followed(run: RunState): RunRow {
  const { tools } = run;
  const ended = tools.filter(({ status }) => isToolEnded(status)).length;
  const measured = tools.reduce(
    (sum, { status, measured = 0 }) => sum + (isToolEnded(status) ? 100 : status === 'running' ? measured : 0),
    0,
  );
  return {
    status: run.status,
    ended,
    total: tools.length,
    progress: tools.length === 0 ? 0 : measured / tools.length,
    waiting: tools.filter(({ status }) => status === 'awaiting_approval').length,
    failed: tools.filter(({ status }) => status === 'failed' || status === 'denied').length,
    acceptedAt: run.accepted_at,
    startedAt: run.started_at,
    endedAt: run.ended_at,
  };
}

/** The names of a run's tools, in a line. */
export function toolsInWords({ tool_names: names = [], tools_total: total }: RunListItem): string {
  if (names.length === 0) return counted(total, 'call');
  return names.length <= SHOWN ? names.join(', ') : `${names.slice(0, SHOWN).join(', ')} and more`;
}

const SHOWN = 3;

/** What changed between two readings of the list, for those who cannot see it change; nothing if nothing did. */
export function changesInWords(before: readonly RunListItem[], after: readonly RunListItem[]): string | undefined {
  const known = new Map(before.map((run) => [run.run_id, run]));
  const fresh = after.filter(({ run_id }) => !known.has(run_id) && isNewer(run_id, before)).length;
  const turned = (status: RunStatus) =>
    after.filter((run) => run.status === status && (known.get(run.run_id)?.status ?? status) !== status).length;
  const asking = after.filter(
    (run) => (run.awaiting_approval ?? 0) > (known.get(run.run_id)?.awaiting_approval ?? 0),
  ).length;
  const parts = [
    said(fresh, 'new run', 'new runs'),
    said(turned('succeeded'), 'run succeeded', 'runs succeeded'),
    said(turned('failed'), 'run failed', 'runs failed'),
    said(turned('cancelled'), 'run was cancelled', 'runs were cancelled'),
    said(asking, 'run needs approval', 'runs need approval'),
  ].filter((part) => part !== undefined);
  return parts.length === 0 ? undefined : `${parts.join(', ')}.`;
}

/** A page that was empty, or another page: what is on it is not news. */
const isNewer = (run: string, before: readonly RunListItem[]): boolean =>
  before.length > 0 && !before.some(({ run_id }) => run_id === run);

const said = (n: number, one: string, many: string): string | undefined =>
  n === 0 ? undefined : counted(n, one, many);
