import { awaitedApprovals, type CallResult, callResults, toMessages } from '@toolstream/domain';
import { isRunEnded, type Json, type RunState, type ToolState } from '@toolstream/proto-events';
import type { Step } from '../translation/run-view.ts';
import { Deferred, type Failure, type Piece, type Ready, type Translator } from '../translation/translator.ts';
import { Activity } from './activity.ts';
import { ending, success } from './ending.ts';
import type { AguiEvent } from './events.ts';
import { interruptFor } from './interrupts.ts';

export interface AguiStream {
  readonly threadId: string;
  readonly runId: string;
  readonly parentRunId?: string | undefined;
  /** Calls and results that the client has in its messages: they are never told again. */
  readonly holds: { readonly calls: ReadonlySet<string>; readonly results: ReadonlySet<string> };
  /** Calls that the caller's own tools answer. */
  readonly pending: readonly string[];
  /** The request itself brought the run this far: what was asked before that is answered. */
  readonly since: number;
  /** Entries of `resume` that answer nothing that is open. */
  readonly ignored: readonly string[];
}

/**
 * A run in AG-UI's words. Arguments are complete from the start, so a call is told in one go and its execution is an
 * activity. A success is told as the call's result at once; any other end with the run's, since a retry may replace it until
 * then, and a conversation has room for one result.
 */
export class AguiTranslator implements Translator {
  readonly #stream: AguiStream;
  readonly #activities: Activity[] = [];
  readonly #seen: ToolState[] = [];
  readonly #answered = new Set<number>();
  #state: RunState | undefined;
  #cursor = '';
  #caughtUp = false;
  #begun = false;
  #over = false;

  constructor(stream: AguiStream) {
    this.#stream = stream;
  }

  get over(): boolean {
    return this.#over;
  }

  *step({ state, cursor, event }: Step): Generator<Piece> {
    const before = this.#state;
    this.#state = state;
    this.#cursor = cursor;
    const at = event ? { timestamp: Date.parse(event.time) } : {};
    yield* this.#begin();
    if (state.status !== before?.status) {
      const { run_id, app, status, message_id } = state;
      const value = { run_id, app, status, ...(message_id === undefined ? {} : { message_id }) };
      yield this.#told({ type: 'CUSTOM', name: 'toolstream.run', value, ...at });
    }
    for (const tool of state.tools) {
      const known = this.#seen[tool.index];
      if (known === tool && state.status === before?.status) continue;
      this.#seen[tool.index] = tool;
      if (!known) yield* this.#call(state, tool);
      this.#activities[tool.index] ??= new Activity();
      for (const said of this.#activities[tool.index]!.step(state, tool, event)) yield this.#told({ ...said, ...at });
      if (tool.status === 'succeeded') yield* this.#result(state, tool);
    }
    if (isRunEnded(state.status)) for (const tool of state.tools) yield* this.#result(state, tool);
    else yield* this.#interrupted();
  }

  *caughtUp(): Generator<Piece> {
    this.#caughtUp = true;
    yield* this.#interrupted();
  }

  *end(): Generator<Piece> {
    if (this.#over) return;
    yield* this.#begin();
    this.#over = true;
    yield this.#told(ending(this.#stream, this.#state));
  }

  /** The whole stream of a request with nothing for us to run. */
  *nothing(): Generator<AguiEvent> {
    yield* this.#begin();
    this.#over = true;
    const { threadId, runId, pending } = this.#stream;
    yield { type: 'RUN_FINISHED', threadId, runId, outcome: success(pending) };
  }

  *fail({ code, message, retryMs }: Failure): Generator<Ready> {
    yield* this.#begin();
    this.#over = true;
    yield this.#told({ type: 'RUN_ERROR', code, message }, retryMs === undefined ? {} : { retry_ms: retryMs });
  }

  *#begin(): Generator<AguiEvent> {
    if (this.#begun) return;
    this.#begun = true;
    const { threadId, runId, parentRunId, ignored } = this.#stream;
    const parent = parentRunId === undefined ? {} : { parentRunId };
    yield this.#told(
      { type: 'RUN_STARTED', threadId, runId, protocolVersion: '1.0', ...parent },
      ignored.length === 0 ? {} : { ignored_resume: [...ignored] },
    );
  }

  *#call(state: RunState, tool: ToolState): Generator<Piece> {
    const toolCallId = tool.call_id;
    if (this.#stream.holds.calls.has(toolCallId)) return;
    const parentMessageId = state.message_id ?? `message:${state.run_id}`;
    yield this.#told({ type: 'TOOL_CALL_START', toolCallId, toolCallName: tool.name, parentMessageId });
    const args = this.#told({ type: 'TOOL_CALL_ARGS', toolCallId, delta: '' });
    // Arguments that were no JSON are kept as they came.
    const raw = tool.rejection?.code === 'invalid_arguments' && typeof tool.arguments === 'string';
    yield new Deferred(tool.arguments, (value) => ({ ...args, delta: raw ? value : JSON.stringify(value) }));
    yield this.#told({ type: 'TOOL_CALL_END', toolCallId });
  }

  *#result(state: RunState, tool: ToolState): Generator<Piece> {
    if (this.#answered.has(tool.index)) return;
    this.#answered.add(tool.index);
    if (this.#stream.holds.results.has(tool.call_id)) return;
    const answer = callResults(state)[tool.index]!;
    const { index, status, error } = answer;
    const failed: Record<string, Json> = error ? { isError: true, code: error.code } : {};
    const named = { messageId: `result:${state.run_id}:${index}`, toolCallId: tool.call_id, role: 'tool' } as const;
    const told = this.#told({ type: 'TOOL_CALL_RESULT', ...named, content: '' }, { index, status, ...failed });
    if (answer.result === undefined) yield { ...told, content: contentOf(answer) };
    else yield new Deferred(answer.result, (result) => ({ ...told, content: contentOf({ ...answer, result }) }));
  }

  /** Where nothing goes on without an answer, the answer is asked for, and the way to ask is to finish. */
  *#interrupted(): Generator<AguiEvent> {
    const state = this.#state;
    if (this.#over || !this.#caughtUp || !state || state.seq < this.#stream.since) return;
    const awaited = awaitedApprovals(state);
    if (awaited.length === 0) return;
    this.#over = true;
    const { threadId, runId } = this.#stream;
    const interrupts = awaited.map((tool) => interruptFor(state, tool));
    yield this.#told({ type: 'RUN_FINISHED', threadId, runId, outcome: { type: 'interrupt', interrupts } });
  }

  #told(event: AguiEvent, more: Record<string, Json> = {}): AguiEvent {
    if (!this.#state) return Object.keys(more).length === 0 ? event : { ...event, metadata: { toolstream: more } };
    return { ...event, metadata: { toolstream: { run: this.#state.run_id, cursor: this.#cursor, ...more } } };
  }
}

/** As `/results` gives it to a model. */
function contentOf(answer: CallResult): string {
  const [message] = toMessages([answer], 'openai');
  return (message as { content: string }).content;
}
