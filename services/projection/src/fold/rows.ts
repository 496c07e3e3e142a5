import { isToolEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import type { ChangedRun } from './fold-batch.ts';

/** A row as it travels: `state` is text inside the JSON that carries it, so that Postgres never unescapes it. */
export interface RunRow {
  readonly run_id: string;
  readonly tenant: string;
  readonly app: string;
  readonly message_id: string | undefined;
  readonly seq: number;
  readonly status: string;
  readonly accepted_at: string;
  readonly started_at: string | undefined;
  readonly ended_at: string | undefined;
  readonly tools_total: number;
  readonly tools_ended: number;
  readonly summary: RunState['summary'];
  readonly state: string;
}

export interface ToolRow {
  readonly run_id: string;
  readonly index: number;
  readonly tenant: string;
  readonly app: string;
  readonly name: string;
  readonly status: string;
  readonly attempt: number;
  readonly queued_at: string | undefined;
  readonly started_at: string | undefined;
  readonly ended_at: string | undefined;
  readonly duration_ms: number | undefined;
  readonly queue_ms: number | undefined;
  readonly state: string;
  readonly error_code: string | undefined;
}

export function runRow(state: RunState): RunRow {
  const { tools, ...rest } = state;
  return {
    run_id: state.run_id,
    tenant: state.tenant,
    app: state.app,
    message_id: state.message_id,
    seq: state.seq,
    status: state.status,
    accepted_at: state.accepted_at,
    started_at: state.started_at,
    ended_at: state.ended_at,
    tools_total: tools.length,
    tools_ended: tools.reduce((ended, tool) => (isToolEnded(tool.status) ? ended + 1 : ended), 0),
    summary: state.summary,
    state: JSON.stringify(rest),
  };
}

/** Tools whose rows the batch must write: the fold keeps the identity of what it does not touch. */
export function changedTools({ before, after }: ChangedRun): ToolState[] {
  return before ? after.tools.filter((tool, index) => tool !== before.tools[index]) : after.tools;
}

export function toolRow(run: RunState, tool: ToolState): ToolRow {
  return {
    run_id: run.run_id,
    index: tool.index,
    tenant: run.tenant,
    app: run.app,
    name: storable(tool.name),
    status: tool.status,
    attempt: tool.attempt,
    queued_at: tool.queued_at,
    started_at: tool.started_at,
    ended_at: tool.ended_at,
    duration_ms: duration(tool),
    queue_ms: queueTime(tool),
    state: JSON.stringify(tool),
    error_code: tool.status === 'failed' && tool.error ? storable(tool.error.code) : undefined,
  };
}

/** What the attempt measured itself, else what its events show. Of a call that never ran there is none. */
function duration(tool: ToolState): number | undefined {
  if (tool.ended_at === undefined || tool.attempt === 0) return undefined;
  return tool.metrics?.duration_ms ?? elapsed(tool.started_at, tool.ended_at);
}

function queueTime(tool: ToolState): number | undefined {
  if (tool.attempt === 0) return undefined;
  return tool.metrics?.queue_ms ?? elapsed(tool.queued_at, tool.started_at);
}

function elapsed(from: string | undefined, to: string | undefined): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  const ms = Date.parse(to) - Date.parse(from);
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

/** A name is the model's, a code the tool's: Postgres text holds neither NUL nor half a surrogate pair. The state keeps it as it came. */
function storable(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD');
}
