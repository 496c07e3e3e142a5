import { isArtifactRef, isToolEnded, type Json, type RunState, type ToolState } from '@toolstream/proto-events';
import { plain } from './text.ts';
import { bytes, counted, duration, ordinal } from './units.ts';

/** Arguments that say best what a call is about, in this order. */
const TELLING = ['file_path', 'path', 'command', 'url', 'query', 'prompt', 'text', 'message'];

/** A call may name a tool that nobody serves, so its name is text from outside too. */
export const nameOf = (tool: ToolState): string => plain(tool.name);

/**
 * What the call is about: its file, command or address, as far as its arguments name one. Arguments that were too large to
 * be in the log name none; then the result may.
 */
export function subjectOf(tool: ToolState): string {
  return plain(telling(tool.arguments) ?? telling(tool.result) ?? '');
}

function telling(value: Json | undefined): string | undefined {
  if (!value || typeof value !== 'object' || Array.isArray(value) || isArtifactRef(value)) return undefined;
  for (const key of TELLING) if (typeof value[key] === 'string') return value[key];
  return Object.values(value).find((part) => typeof part === 'string') as string | undefined;
}

const ms = (from: string | undefined, to: number): number | undefined =>
  from === undefined ? undefined : Math.max(0, to - Date.parse(from));

/** What can be said of the call right now, most telling first; every number in it was measured. */
export function remarksOn(tool: ToolState, state: RunState, now: number): string[] {
  if (isToolEnded(tool.status)) return ended(tool);
  switch (tool.status) {
    case 'pending':
      return waits(tool, state);
    case 'queued':
      return [`${ordinal(placeInQueue(tool, state))} in the run's queue`, since(tool.queued_at, now)];
    case 'awaiting_approval':
      return [asks(tool)];
    case 'retrying':
      return [`attempt ${tool.attempt} failed: ${plain(tool.error?.message ?? '')}`, again(tool, now)];
    default:
      return running(tool, state, now);
  }
}

function asks({ approval }: ToolState): string {
  if (approval?.reason === 'lost_attempt') return 'its attempt was lost: run it again?';
  return approval?.reason === 'input' ? `asks: ${plain(approval.request?.message ?? 'for an answer')}` : 'may it run?';
}

function running(tool: ToolState, state: RunState, now: number): string[] {
  const { progress } = tool;
  return [
    tool.cancel ? 'being cancelled' : '',
    state.status === 'paused' ? 'held by the pause' : '',
    ...measured(progress?.details),
    outputOf(tool),
    tool.attempt > 1 ? `attempt ${tool.attempt}` : '',
    since(tool.started_at, now),
    plain(progress?.message ?? ''),
  ];
}

function ended(tool: ToolState): string[] {
  const { metrics } = tool;
  const took = metrics?.duration_ms ?? (tool.ended_at ? ms(tool.started_at, Date.parse(tool.ended_at)) : undefined);
  return [
    tool.status === 'failed' && tool.error ? plain(`${tool.error.code}: ${tool.error.message}`) : '',
    plain(tool.skip_reason ?? ''),
    tool.status === 'denied' ? plain(tool.approval?.comment ?? '') : '',
    metrics?.lines_written ? counted(metrics.lines_written, 'line') : '',
    metrics?.bytes_written ? bytes(metrics.bytes_written) : '',
    tool.attempt > 1 ? counted(tool.attempt, 'attempt') : '',
    took === undefined ? '' : duration(took),
  ];
}

function waits(tool: ToolState, state: RunState): string[] {
  if (tool.released === 'paused') return ['handed back by the pause'];
  const open = tool.depends_on.filter((index) => !isToolEnded(state.tools[index]?.status ?? 'succeeded'));
  if (open.length > 0) return [`waits for ${open.slice(0, 4).join(', ')}${open.length > 4 ? ' …' : ''}`];
  return [state.ordering === 'sequential' && tool.index > 0 ? 'waits for its turn' : ''];
}

export function placeInQueue(tool: ToolState, state: RunState): number {
  const queued = state.tools.filter(({ status }) => status === 'queued');
  const before = (a: ToolState, b: ToolState): boolean =>
    (a.queued_at ?? '') < (b.queued_at ?? '') || (a.queued_at === b.queued_at && a.index < b.index);
  return 1 + queued.filter((other) => before(other, tool)).length;
}

/** Progress of which no total is known still counts something: bytes, lines, requests. */
function measured(details: { [key: string]: Json } | undefined): string[] {
  if (!details) return [];
  const number = (...keys: string[]): number | undefined =>
    keys.map((key) => details[key]).find((value) => typeof value === 'number') as number | undefined;
  const done = number('bytes_written', 'uploaded_bytes', 'bytes');
  const total = number('total_bytes', 'bytes_total', 'file_size');
  const lines = number('lines_written', 'lines', 'line_count');
  return [
    done === undefined ? '' : total === undefined ? bytes(done) : `${bytes(done)} of ${bytes(total)}`,
    lines === undefined ? '' : counted(lines, 'line'),
  ];
}

function outputOf(tool: ToolState): string {
  const size = (tool.output ?? []).reduce((sum, { text }) => sum + text.length, 0);
  return size === 0 ? '' : `${bytes(size)} of output`;
}

const since = (from: string | undefined, now: number): string => {
  const elapsed = ms(from, now);
  return elapsed === undefined ? '' : duration(elapsed);
};

function again(tool: ToolState, now: number): string {
  const due = tool.retry_at === undefined ? undefined : Date.parse(tool.retry_at) - now;
  return due === undefined || due <= 0 ? 'again soon' : `again in ${duration(due)}`;
}
