import type { RunState, ToolState, ToolstreamEvent } from '@toolstream/proto-events';
import { summaryLine } from './run-view.ts';
import { plain } from './text.ts';
import { nameOf, remarksOn, subjectOf } from './tool-text.ts';
import { counted } from './units.ts';

/**
 * A run as lines that are only ever appended: for files, pipes and CI. Progress gets a line when the stage changes and at
 * every measured quarter, so that a log has what a person reads and no more.
 */
export class PlainLog {
  readonly #reported = new Map<number, string>();

  begin(state: RunState): string {
    return `run ${state.run_id} of app ${state.app}: ${counted(state.tools.length, 'tool call')}, ${state.status}`;
  }

  line(event: ToolstreamEvent, state: RunState): string | undefined {
    const at = ((Date.parse(event.time) - Date.parse(state.accepted_at)) / 1000).toFixed(3).padStart(8);
    const text = event.type.startsWith('run.') ? this.#ofRun(event, state) : this.#ofTool(event, state);
    return text === undefined ? undefined : `${at}  ${text}`;
  }

  #ofRun(event: ToolstreamEvent, state: RunState): string | undefined {
    switch (event.type) {
      case 'run.accepted.v1':
        return this.begin(state);
      case 'run.succeeded.v1':
      case 'run.failed.v1':
      case 'run.cancelled.v1':
        return summaryLine(state);
      default:
        return sentence('run', event);
    }
  }

  #ofTool(event: ToolstreamEvent, state: RunState): string | undefined {
    const tool = state.tools[event.toolindex ?? -1];
    if (!tool || event.type === 'tool.output.v1' || event.type === 'tool.checkpointed.v1') return undefined;
    const name = `${tool.index} ${nameOf(tool)} ${subjectOf(tool)}`.trimEnd();
    if (event.type === 'tool.progressed.v1') return this.#progress(tool, name);
    this.#reported.delete(tool.index);
    const remarks = REMARKED.has(event.type) ? remarksOn(tool, state, Date.parse(event.time)) : [];
    const said = remarks.filter((remark) => remark !== '').join(', ');
    return `${sentence(name, event)}${said === '' ? '' : `: ${said}`}`;
  }

  #progress(tool: ToolState, name: string): string | undefined {
    const { progress } = tool;
    if (!progress) return undefined;
    const quarter = progress.progress === undefined ? '' : Math.floor(progress.progress / 25);
    const key = `${progress.stage}/${quarter}`;
    if (this.#reported.get(tool.index) === key) return undefined;
    this.#reported.set(tool.index, key);
    const percent = progress.progress === undefined ? '' : ` ${Math.floor(progress.progress)}%`;
    const message = progress.message === undefined ? '' : `, ${plain(progress.message)}`;
    return `${name} ${plain(progress.stage)}${percent}${message}`;
  }
}

/** Events whose lines say how it went. */
const REMARKED: ReadonlySet<string> = new Set([
  'tool.succeeded.v1',
  'tool.failed.v1',
  'tool.cancelled.v1',
  'tool.skipped.v1',
  'tool.denied.v1',
  'tool.retry_scheduled.v1',
  'tool.approval_requested.v1',
]);

function sentence(who: string, event: ToolstreamEvent): string {
  const verb = event.type.slice(event.type.indexOf('.') + 1, event.type.lastIndexOf('.')).replaceAll('_', ' ');
  const reason = (event.data as { reason?: unknown }).reason;
  return `${who} ${verb}${typeof reason === 'string' ? ` (${plain(reason)})` : ''}`;
}
