import {
  type Client,
  callsOf,
  type ResultsFormat,
  type SubmitRequest,
  ToolstreamError,
  type WatchItem,
} from '@toolstream/client';
import type { RunState } from '@toolstream/proto-events';
import { type Answered, type FormatOf, formatOf, idOf, type MessageOf, requireWhole } from './formats.ts';
import { keyOf } from './key.ts';

export type AgentClient = Pick<Client, 'submit' | 'watch' | 'control' | 'results'>;

export interface RunOptions {
  readonly client: AgentClient;
  /** The app that the run belongs to. */
  readonly app: string;
  /** The chat message that the calls belong to: pages that watch it see the run. */
  readonly messageId?: string | number;
  /** Default: `sequential`, each call after the one before. */
  readonly mode?: 'sequential' | 'parallel';
  readonly priority?: 'high' | 'normal' | 'low';
  /** Ends the waiting; what becomes of the run, {@link onAbort} says. */
  readonly signal?: AbortSignal;
  /**
   * `cancel` (the default): the run is cancelled, and the call rejects with the signal's reason once that is on record; it
   * needs the scope `runs:control`. `leave`: the run goes on, and calling again with the same response waits for it again.
   */
  readonly onAbort?: 'cancel' | 'leave';
  /** Everything that happens in the run, in order, from its first event: for showing it. */
  readonly onEvent?: (item: WatchItem<RunState>) => void;
  /** What makes a repetition the same run. Default: made of the response's id; a part of a response has none, and never repeats. */
  readonly idempotencyKey?: string;
}

/**
 * Runs the tool calls of a model's response and resolves, when all have ended, with what the model is to be told: in call order,
 * every call answered, whatever became of it. `undefined` when the response asks for none: the turn is over.
 *
 * Calling again with the same response, in whatever process, runs nothing twice: it waits for the same run and gives the same
 * messages.
 */
export async function runToolCalls<R, F extends ResultsFormat = FormatOf<R>>(
  response: R,
  options: RunOptions & { readonly format?: F },
): Promise<Answered<F> | undefined> {
  const tool_calls = callsOf(response);
  if (tool_calls.length === 0) return undefined;
  requireWhole(response);
  const format = (options.format ?? formatOf(response)) as F;
  const id = idOf(response);
  const key = options.idempotencyKey ?? (id === undefined ? undefined : await keyOf('response', id));
  const ended = await runToEnd(tool_calls, { ...options, ...(key === undefined ? {} : { idempotencyKey: key }) });
  const { signal } = options;
  const { messages } = await options.client.results(ended.run_id, format, signal ? { signal } : {});
  return { ...ended, format, messages: messages as unknown as MessageOf[F][] };
}

/** Hands the calls over and waits for their run's end. */
export async function runToEnd(
  tool_calls: SubmitRequest['tool_calls'],
  options: RunOptions,
): Promise<{ run_id: string; status: RunState['status'] }> {
  const { client, app, messageId, mode, priority, signal, idempotencyKey } = options;
  signal?.throwIfAborted();
  const request: SubmitRequest = {
    app,
    ...(messageId === undefined ? {} : { message_id: messageId }),
    ...(mode === undefined ? {} : { mode }),
    ...(priority === undefined ? {} : { priority }),
    tool_calls,
  };
  // Not with the signal: a submission that is given up may have been accepted, and nobody would know which run to cancel.
  const { run_id } = await client.submit(request, idempotencyKey === undefined ? {} : { idempotencyKey });
  const state = signal?.aborted ? undefined : await followed(run_id, options);
  if (state) return { run_id, status: state.status };
  if (options.onAbort !== 'leave') await cancel(client, run_id);
  throw signal?.reason;
}

/** The state at the run's end; `undefined` when the signal came first. */
async function followed(run: string, { client, signal, onEvent }: RunOptions): Promise<RunState | undefined> {
  const watch = client.watch(run, onEvent ? { cursor: 'start' } : {});
  const stop = () => watch.close();
  signal?.addEventListener('abort', stop, { once: true });
  try {
    if (onEvent) for await (const item of watch) onEvent(item);
    return await watch.done;
  } catch (error) {
    if (signal?.aborted) return undefined;
    throw error;
  } finally {
    signal?.removeEventListener('abort', stop);
    watch.close();
  }
}

async function cancel(client: AgentClient, run: string): Promise<void> {
  try {
    const reason = { reason: 'The agent that waited for the results gave up.' };
    await client.control(run, 'cancel', reason, { idempotencyKey: `abort/${run}`, timeoutMs: 10_000 });
  } catch (error) {
    if ((error as { code?: string }).code === 'run_ended') return;
    const message = `The waiting was aborted, but run ${run} could not be cancelled and goes on: ${(error as Error).message}`;
    throw new ToolstreamError('not_cancelled', message, { cause: error });
  }
}
