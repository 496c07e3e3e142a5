import { isRunEnded, type RunState, type ToolState } from '@toolstream/proto-events';
import { breakingOf } from '../translation/breaking.ts';
import type { Step } from '../translation/run-view.ts';
import type { Failure, Piece, Ready, Translator } from '../translation/translator.ts';
import { DONE, type RunMetadata, type UiChunk } from './chunks.ts';
import { type ProgressMode, ToolPart } from './tool-part.ts';

/**
 * A run as one assistant message of the AI SDK, from its `start` on: whoever attaches, whenever, builds the same message.
 * While calls wait for an approval the stream stays open.
 */
export class UiMessageTranslator implements Translator {
  readonly #mode: ProgressMode;
  readonly #parts: ToolPart[] = [];
  readonly #seen: ToolState[] = [];
  #state: RunState | undefined;
  #cursor = '';
  #over = false;

  constructor(mode: ProgressMode) {
    this.#mode = mode;
  }

  get over(): boolean {
    return this.#over;
  }

  *step({ state, cursor, event }: Step): Generator<Piece> {
    const before = this.#state;
    this.#state = state;
    this.#cursor = cursor;
    if (!before) yield this.#start(state);
    else if (before.status !== state.status && !isRunEnded(state.status))
      yield { type: 'message-metadata', messageMetadata: this.#metadata(state) } satisfies UiChunk;
    for (const tool of state.tools) {
      if (this.#seen[tool.index] === tool && before?.status === state.status) continue;
      this.#seen[tool.index] = tool;
      this.#parts[tool.index] ??= new ToolPart(this.#mode);
      yield* this.#parts[tool.index]!.step(state, tool, event);
    }
  }

  caughtUp(): Iterable<Piece> {
    return [];
  }

  *end(): Generator<Piece> {
    const state = this.#state;
    this.#over = true;
    if (state) yield* this.#ending(state);
    else yield { type: 'error', errorText: 'The run has ended, but how is not known here.' } satisfies UiChunk;
    yield DONE;
  }

  *fail({ message }: Failure): Generator<Ready> {
    this.#over = true;
    yield { type: 'error', errorText: message } satisfies UiChunk;
    yield DONE;
  }

  #start(state: RunState): UiChunk {
    return { type: 'start', messageId: state.message_id ?? state.run_id, messageMetadata: this.#metadata(state) };
  }

  *#ending(state: RunState): Generator<UiChunk> {
    const messageMetadata = this.#metadata(state);
    const broken = breakingOf(state);
    if (state.status === 'cancelled') {
      yield { type: 'message-metadata', messageMetadata };
      yield { type: 'abort', reason: state.cancel?.reason ?? 'The run was cancelled.' };
    } else if (broken) {
      yield { type: 'error', errorText: broken.message };
      yield { type: 'finish', finishReason: 'error', messageMetadata };
    } else {
      yield { type: 'finish', finishReason: 'tool-calls', messageMetadata };
    }
  }

  #metadata({ run_id, app, status, summary }: RunState): RunMetadata {
    const more = summary ? { summary: { ...summary } } : {};
    return { toolstream: { run: run_id, app, status, cursor: this.#cursor, ...more } };
  }
}
