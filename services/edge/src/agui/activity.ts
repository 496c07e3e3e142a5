import { isDeepStrictEqual } from 'node:util';
import type { RunState, ToolState, ToolstreamEvent } from '@toolstream/proto-events';
import { type ToolView, toolView } from '../translation/tool-view.ts';
import type { AguiEvent, PatchOperation } from './events.ts';

export const ACTIVITY_TYPE = 'tool_progress';

/** Activities live beside messages, whose ids must be unique in a conversation; ids of calls need not be. */
export const activityId = (run: RunState, { index }: ToolState): string => `activity:${run.run_id}:${index}`;

/** A client skips a patch that does not fit what it holds, so it is given the whole again after this many. */
const PATCHES_PER_SNAPSHOT = 32;

/**
 * What one client was told about how one call is doing. A change of its status or attempt is told whole, with the last of
 * the attempt's output; what is measured meanwhile as a patch, and output as it comes.
 */
export class Activity {
  #told: ToolView | undefined;
  #output: ToolState['output'];
  #patches = 0;

  *step(run: RunState, tool: ToolState, event: ToolstreamEvent | undefined): Generator<AguiEvent> {
    const told = this.#told;
    const view = toolView(run, tool);
    const output = tool.output === this.#output ? [] : outputOf(tool, event);
    const patch = told && output ? [...changes(told, view), ...output] : undefined;
    this.#told = view;
    this.#output = tool.output;
    if (patch?.length === 0) return;
    const named = { messageId: activityId(run, tool), activityType: ACTIVITY_TYPE };
    const anew = told?.status !== view.status || told.attempt !== view.attempt || this.#patches >= PATCHES_PER_SNAPSHOT;
    if (patch === undefined || anew) {
      this.#patches = 0;
      const content = { ...view, output: tool.output ?? [] };
      yield { type: 'ACTIVITY_SNAPSHOT', ...named, content, replace: true };
    } else {
      this.#patches++;
      yield { type: 'ACTIVITY_DELTA', ...named, patch };
    }
  }
}

/** The output that an event added. `undefined`: more than one event did, only the whole can say it. */
function outputOf({ index }: ToolState, event: ToolstreamEvent | undefined): PatchOperation[] | undefined {
  if (event?.type !== 'tool.output.v1' || event.toolindex !== index) return undefined;
  const { channel, text } = event.data;
  return [{ op: 'add', path: '/output/-', value: { channel, text } }];
}

function changes(before: ToolView, after: ToolView): PatchOperation[] {
  const old = before as unknown as Record<string, unknown>;
  const now = after as unknown as Record<string, unknown>;
  const gone = Object.keys(old).filter((key) => !(key in now));
  const changed = Object.entries(now).filter(([key, value]) => !isDeepStrictEqual(old[key], value));
  return [
    ...gone.map((key): PatchOperation => ({ op: 'remove', path: `/${key}` })),
    ...changed.map(([key, value]): PatchOperation => ({ op: key in old ? 'replace' : 'add', path: `/${key}`, value })),
  ];
}
