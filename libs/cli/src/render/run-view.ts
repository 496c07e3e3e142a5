import { isRunEnded, isToolEnded, type RunState, type RunSummary, type ToolState } from '@toolstream/proto-events';
import { bar, bold, dim, ellipsis, inStatusColour, type Style, sign } from './style.ts';
import { column, fit, plain, widthOf } from './text.ts';
import { nameOf, remarksOn, subjectOf } from './tool-text.ts';
import { counted, duration } from './units.ts';

export interface View {
  readonly width: number;
  /** Lines that there is room for. A run with more calls than that shows those that matter now. */
  readonly height: number;
  readonly now: number;
  readonly style: Style;
  /** Said under the run while the connection is not open. */
  readonly notice?: string | undefined;
}

const WIDEST_SUBJECT = 36;
const BAR_WIDTH = 16;
const STATUS_WIDTH = 'awaiting approval'.length;
/** Narrower than this a line has no room for a bar. */
const ROOM_FOR_BAR = 72;

/** A run as lines of a terminal: no line is wider than `width`, and there are at most `height`. */
export function renderRun(state: RunState, view: View): string[] {
  const lines = [headline(state, view)];
  const foot = [
    ...(view.notice === undefined ? [] : [dim(fit(view.notice, view.width, ellipsis(view.style)), view.style)]),
    ...(isRunEnded(state.status) ? [fit(summaryLine(state), view.width, ellipsis(view.style))] : []),
  ];
  const room = Math.max(1, view.height - lines.length - foot.length);
  const shown = state.tools.length <= room ? state.tools : mostTelling(state, room - 1);
  const widths = columnsFor(state, view);
  for (const tool of shown) lines.push(toolLine(tool, state, view, widths));
  if (shown.length < state.tools.length) lines.push(dim(fit(rest(state, shown), view.width, '…'), view.style));
  return [...lines, ...foot].slice(0, Math.max(1, view.height));
}

function headline(state: RunState, { width, now, style }: View): string {
  const done = state.tools.filter(({ status }) => isToolEnded(status)).length;
  const until = state.ended_at ? Date.parse(state.ended_at) : now;
  const elapsed = duration(Math.max(0, until - Date.parse(state.started_at ?? state.accepted_at)));
  const status = `${sign(state.status, style)} ${state.status}`;
  const facts = `${done} of ${counted(state.tools.length, 'call')} ended  ${elapsed}  run ${state.run_id}`;
  if (width < 12) return inStatusColour(fit(status, width, ''), state.status, style);
  const room = width - widthOf(status) - 2;
  return `${bold(inStatusColour(status, state.status, style), style)}  ${fit(facts, room, ellipsis(style))}`;
}

interface Columns {
  readonly index: number;
  readonly name: number;
  readonly subject: number;
}

/** Columns are as wide as the run needs, so that lines stand still while it goes on. */
function columnsFor(state: RunState, { width }: View): Columns {
  const widest = (texts: string[], most: number): number => Math.min(most, Math.max(0, ...texts.map(widthOf)));
  return {
    index: String(state.tools.length - 1).length,
    name: widest(state.tools.map(nameOf), Math.max(6, Math.floor(width / 6))),
    subject: widest(state.tools.map(subjectOf), Math.min(WIDEST_SUBJECT, Math.floor(width / 4))),
  };
}

function toolLine(tool: ToolState, state: RunState, view: View, columns: Columns): string {
  const { width, now, style } = view;
  const cut = ellipsis(style);
  const mark = sign(tool.status, style);
  const head = ` ${String(tool.index).padStart(columns.index)} ${column(nameOf(tool), columns.name, cut)} ${column(subjectOf(tool), columns.subject, cut)} `;
  const word = statusWord(tool, style);
  const fixed = widthOf(mark) + widthOf(head) + STATUS_WIDTH;
  if (fixed + 1 > width) {
    const short = fit(`${head.trimEnd()} ${word}`, width - widthOf(mark), cut);
    return inStatusColour(mark, tool.status, style) + short;
  }
  const gauge = width >= ROOM_FOR_BAR ? gaugeOf(tool, style) : percentOf(tool);
  const remarks = [gauge, ...remarksOn(tool, state, now)].filter((remark) => remark !== '').join('  ');
  const tail = fit(remarks, Math.max(0, width - fixed - 1), cut);
  const status = tail === '' ? word : column(word, STATUS_WIDTH, cut);
  const line = `${inStatusColour(mark, tool.status, style)}${head}${inStatusColour(status, tool.status, style)} ${tail}`;
  return line.trimEnd();
}

/** The stage takes the word's place while the tool runs: it says more. */
function statusWord(tool: ToolState, style: Style): string {
  if (tool.status === 'running' && tool.progress) return fit(plain(tool.progress.stage), STATUS_WIDTH, ellipsis(style));
  return tool.status.replaceAll('_', ' ');
}

function gaugeOf(tool: ToolState, style: Style): string {
  const percent = percentOf(tool);
  return percent === '' ? '' : `${bar(tool.progress!.progress!, BAR_WIDTH, style)} ${percent.padStart(4)}`;
}

const percentOf = (tool: ToolState): string =>
  tool.status === 'running' && tool.progress?.progress !== undefined ? `${Math.floor(tool.progress.progress)}%` : '';

/** What a person should see first when not everything fits. */
const URGENCY: readonly (readonly ToolState['status'][])[] = [
  ['awaiting_approval', 'running', 'retrying'],
  ['failed', 'denied'],
  ['queued', 'pending'],
  ['succeeded', 'cancelled', 'skipped'],
];

function mostTelling(state: RunState, room: number): ToolState[] {
  const rank = (tool: ToolState): number => URGENCY.findIndex((statuses) => statuses.includes(tool.status));
  // Of what has ended the latest says most, of what is to come the next.
  const age = (tool: ToolState): number =>
    isToolEnded(tool.status) ? -Date.parse(tool.ended_at ?? '') || 0 : tool.index;
  const chosen = [...state.tools].sort((a, b) => rank(a) - rank(b) || age(a) - age(b) || a.index - b.index);
  return chosen.slice(0, Math.max(0, room)).sort((a, b) => a.index - b.index);
}

function rest(state: RunState, shown: readonly ToolState[]): string {
  const counts = new Map<string, number>();
  for (const tool of state.tools) {
    if (!shown.includes(tool)) counts.set(tool.status, (counts.get(tool.status) ?? 0) + 1);
  }
  const parts = [...counts].map(([status, count]) => `${count} ${status.replaceAll('_', ' ')}`);
  return `  and ${state.tools.length - shown.length} more: ${parts.join(', ')}`;
}

/** One sentence about a run that has ended. */
export function summaryLine(state: RunState): string {
  const { summary } = state;
  if (!summary) return `The run is ${state.status}.`;
  return `The run ${OUTCOME[state.status] ?? state.status} in ${duration(summary.duration_ms)}: ${tally(summary)}.`;
}

const OUTCOME: Partial<Record<RunState['status'], string>> = {
  succeeded: 'succeeded',
  failed: 'failed',
  cancelled: 'was cancelled',
};

function tally(summary: RunSummary): string {
  const parts = [
    `${summary.successful} of ${counted(summary.total, 'tool call')} succeeded`,
    summary.failed > 0 ? `${summary.failed} failed` : '',
    summary.cancelled > 0 ? `${summary.cancelled} cancelled` : '',
    summary.skipped > 0 ? `${summary.skipped} skipped` : '',
    summary.files_created > 0 ? `${counted(summary.files_created, 'file')} created` : '',
    summary.lines_written > 0 ? `${counted(summary.lines_written, 'line')} written` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}
