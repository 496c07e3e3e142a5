import type { CallToolResult, ElicitRequest, ElicitResult } from '@modelcontextprotocol/client';
import type { Json } from '@toolstream/proto-events';
import { inputNeeded, type ToolContext, ToolFailure } from '@toolstream/tool-kit';
import type { McpConnection } from './connection.ts';
import { ANSWER_ARGUMENT, Answers } from './elicitation.ts';
import { failureOfCall, isSessionLost } from './failures.ts';
import { ProgressRelay } from './progress-relay.ts';
import { resultOf, textOf } from './results.ts';
import type { McpServer } from './server.ts';

export interface McpTool {
  /** As the server has it. */
  readonly name: string;
  readonly idempotent: boolean;
  readonly idleTimeoutMs?: number | undefined;
}

type Arguments = { readonly [key: string]: Json };

/** The attempt's own clock ends a call; the client's, which cannot be switched off, is set beyond it. */
const NEVER_MS = 2_147_483_647;

/** One call of a server's tool, as an attempt runs it. */
export async function callMcpTool(server: McpServer, tool: McpTool, ctx: ToolContext, input: Arguments): Promise<Json> {
  if (!server.asks) return call(server, tool, ctx, input, () => undefined);
  // What the server asks does not say which call it belongs to: there is only one then.
  const leave = await server.turn.take(ctx.signal);
  const { [ANSWER_ARGUMENT]: given, ...args } = input;
  const answers = new Answers(ctx.checkpointState, given);
  const asked = new AbortController();
  server.answerWith((params) => answer(params, answers, asked));
  try {
    return await call(server, tool, ctx, args, () => answers.open && inputNeeded(answers.open), asked.signal);
  } catch (error) {
    if (answers.open && !ctx.signal.aborted) await ctx.checkpoint(answers.state);
    throw error;
  } finally {
    server.answerWith(undefined);
    leave();
  }
}

function answer(params: ElicitRequest['params'], answers: Answers, asked: AbortController): ElicitResult {
  if (params.mode === 'url') return { action: 'decline' };
  const content = answers.answer(params.message, params.requestedSchema as unknown as Json);
  if (content) return { action: 'accept', content };
  // The call ends before the server hears that nobody answers, so that what it makes of that is nobody's result.
  asked.abort(new Error('It waits for a person.'));
  return { action: 'cancel' };
}

async function call(
  server: McpServer,
  tool: McpTool,
  ctx: ToolContext,
  args: Arguments,
  interruption: () => ToolFailure | undefined,
  interrupted?: AbortSignal,
): Promise<Json> {
  const progress = new ProgressRelay(ctx);
  const signal = interrupted ? AbortSignal.any([ctx.signal, interrupted]) : ctx.signal;
  const ask = (connection: McpConnection) => {
    ctx.metrics.add('api_calls', 1);
    const { traceparent } = ctx.call;
    return connection.client.callTool(
      { name: tool.name, arguments: { ...args }, ...(traceparent === undefined ? {} : { _meta: { traceparent } }) },
      {
        signal,
        timeout: tool.idleTimeoutMs ?? NEVER_MS,
        resetTimeoutOnProgress: true,
        onprogress: (report) => progress.report(report),
      },
    );
  };
  try {
    const result = await inSession(server, ctx.signal, ask);
    progress.close();
    if (result.isError === true) throw toolError(result);
    return await resultOf(result, ctx.artifacts);
  } catch (error) {
    // The client says the same of an abort and of its timeout.
    if (ctx.signal.aborted) throw ctx.signal.reason;
    const interrupting = interruption();
    if (interrupting) throw interrupting;
    if (error instanceof ToolFailure) throw error;
    const { idempotent, idleTimeoutMs } = tool;
    throw failureOfCall(error, { server: server.name, idempotent, idleTimeoutMs });
  } finally {
    progress.close();
  }
}

/** A request that named a session which the server no longer knows was not looked at: it is made again in a new one. */
async function inSession<T>(server: McpServer, signal: AbortSignal, ask: (c: McpConnection) => Promise<T>): Promise<T> {
  const connection = await server.connected(signal);
  try {
    return await ask(connection);
  } catch (error) {
    if (!isSessionLost(error) || signal.aborted) throw error;
    connection.fail(error as Error);
    return ask(await server.connected(signal));
  }
}

function toolError(result: CallToolResult): ToolFailure {
  const structured = result.structuredContent as Json | undefined;
  return new ToolFailure({
    code: 'tool_error',
    message: textOf(result) ?? 'The tool failed and does not say why.',
    retryable: false,
    ...(structured === undefined ? {} : { details: structured }),
  });
}
