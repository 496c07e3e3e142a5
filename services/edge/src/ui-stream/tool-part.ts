import { isDeepStrictEqual } from 'node:util';
import { callResults } from '@toolstream/domain';
import { isToolEnded, type Json, type RunState, type ToolState, type ToolstreamEvent } from '@toolstream/proto-events';
import { approvalId, type ToolView, toolView } from '../translation/tool-view.ts';
import { Deferred, type Piece } from '../translation/translator.ts';
import type { UiChunk } from './chunks.ts';

/** How a call's progress is told: as a data part of its own, or as preliminary output of the call's part. */
export const PROGRESS_MODES = ['data', 'preliminary'] as const;
export type ProgressMode = (typeof PROGRESS_MODES)[number];

/**
 * What one client was told about one call: a tool part of the message and, beside it, its progress. An end that a retry has
 * undone takes the part back to its input, in place.
 */
export class ToolPart {
  readonly #mode: ProgressMode;
  #view: ToolView | undefined;
  #input: Json | undefined;
  #approval: { readonly id: string; readonly answered: boolean } | undefined;
  #ended = false;
  #output: ToolState['output'];

  constructor(mode: ProgressMode) {
    this.#mode = mode;
  }

  *step(run: RunState, tool: ToolState, event: ToolstreamEvent | undefined): Generator<Piece> {
    const ended = isToolEnded(tool.status);
    const reopened = this.#ended && !ended;
    if (reopened) this.#approval = undefined;
    if (reopened || !this.#hasInput(tool)) yield* this.#available(tool);
    yield* this.#progress(run, tool);
    yield* this.#asked(run, tool);
    yield* this.#printed(tool, event);
    if (ended && !this.#ended) yield* outcome(run, tool);
    this.#ended = ended;
  }

  /** An approval may have changed the arguments: the part shows what the call runs with. */
  #hasInput({ arguments: given }: ToolState): boolean {
    return this.#input === given || isDeepStrictEqual(this.#input, given);
  }

  *#available({ call_id, name, arguments: given }: ToolState): Generator<Piece> {
    this.#input = given;
    yield new Deferred(given, (input): UiChunk => {
      return { type: 'tool-input-available', toolCallId: call_id, toolName: name, input, dynamic: true };
    });
  }

  *#progress(run: RunState, tool: ToolState): Generator<UiChunk> {
    const view = toolView(run, tool);
    if (isDeepStrictEqual(view, this.#view)) return;
    this.#view = view;
    if (this.#mode === 'data') yield { type: 'data-tool-progress', id: tool.call_id, data: view };
    else if (tool.status === 'running' || tool.status === 'retrying')
      yield { type: 'tool-output-available', toolCallId: tool.call_id, output: view, preliminary: true };
  }

  *#asked(run: RunState, tool: ToolState): Generator<UiChunk> {
    const { approval, call_id: toolCallId } = tool;
    if (!approval) return;
    const id = approvalId(run, tool);
    if (this.#approval?.id !== id) {
      this.#approval = { id, answered: false };
      yield { type: 'tool-approval-request', approvalId: id, toolCallId, reason: approval.reason };
    }
    if (approval.decision === undefined || this.#approval.answered) return;
    this.#approval = { id, answered: true };
    const approved = approval.decision === 'approved';
    const reason = approval.comment === undefined ? {} : { reason: approval.comment };
    yield { type: 'tool-approval-response', approvalId: id, approved, ...reason };
  }

  /** Passes by: it reaches whoever listens now, and is no part of the message. */
  *#printed({ call_id: toolCallId, index, output }: ToolState, event: ToolstreamEvent | undefined): Generator<UiChunk> {
    if (output === this.#output) return;
    this.#output = output;
    const one = event?.type === 'tool.output.v1' && event.toolindex === index;
    for (const { channel, text } of one ? [event.data] : (output ?? []))
      yield { type: 'data-tool-output', data: { toolCallId, channel, text }, transient: true };
  }
}

function* outcome(run: RunState, { index, status, call_id: toolCallId }: ToolState): Generator<Piece> {
  const { result, error } = callResults(run)[index]!;
  if (result !== undefined)
    yield new Deferred(result, (output): UiChunk => ({ type: 'tool-output-available', toolCallId, output }));
  else if (status === 'denied') yield { type: 'tool-output-denied', toolCallId } satisfies UiChunk;
  else
    yield {
      type: 'tool-output-error',
      toolCallId,
      errorText: error?.message ?? 'The tool call failed.',
    } satisfies UiChunk;
}
