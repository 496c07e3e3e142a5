import { type Client, type ToolListing, ToolstreamError } from '@toolstream/client';
import { dynamicTool, type JSONSchema7, jsonSchema, type ToolSet } from 'ai';
import type { NativeResult } from '../formats.ts';
import { keyOf, sha256 } from '../key.ts';
import { type RunOptions, runToEnd } from '../run-tool-calls.ts';
import { chosen, type ToolChoice } from '../tools-for.ts';

export interface AiSdkOptions extends Pick<RunOptions, 'app' | 'messageId' | 'priority' | 'onAbort' | 'onEvent'> {
  readonly client: Pick<Client, 'submit' | 'watch' | 'control' | 'results' | 'tools'>;
  readonly choose?: ToolChoice;
}

/** A tool call that did not succeed: the SDK tells the model its message. */
export class ToolCallError extends ToolstreamError {
  override readonly name = 'ToolCallError';
  readonly run: string;
  constructor(run: string, { status, error }: Pick<NativeResult, 'status' | 'error'>) {
    super(error?.code ?? status, `${error?.code ?? status}: ${error?.message ?? 'the tool call did not succeed'}`);
    this.run = run;
  }
}

/**
 * The tools that executors serve, for `generateText` and its like: each call is a run of one call, because the SDK executes a
 * call as soon as it has arrived. The step's messages, the call's id and its input identify it, so that a step that is
 * repeated after a crash finds the runs of the first time.
 */
export async function aiSdkTools(options: AiSdkOptions): Promise<ToolSet> {
  const { tools } = await options.client.tools();
  const wanted = chosen(tools, ({ name }) => name, options.choose);
  return Object.fromEntries(wanted.map((listing) => [listing.name, toolOf(listing, options)]));
}

function toolOf({ name, description, input_schema }: ToolListing, options: AiSdkOptions) {
  return dynamicTool({
    description,
    // What the arguments must be is checked where they are carried out, too.
    inputSchema: jsonSchema(input_schema as JSONSchema7),
    execute: async (input, { toolCallId, messages, abortSignal }) => {
      const identity = JSON.stringify([await stepOf(messages), toolCallId, name, input]);
      const { choose: _, ...rest } = options;
      const run = await runToEnd([{ id: toolCallId, name, arguments: input as never }], {
        ...rest,
        idempotencyKey: await keyOf('ai-sdk', await sha256(identity)),
        ...(abortSignal ? { signal: abortSignal } : {}),
      });
      const { messages: answers } = await options.client.results(run.run_id, 'native');
      const answer = answers[0] as unknown as NativeResult;
      if (answer.status !== 'succeeded') throw new ToolCallError(run.run_id, answer);
      return answer.result;
    },
  });
}

/** The messages of a step are one array for all of its calls: they are read once. */
const steps = new WeakMap<object, Promise<string>>();

function stepOf(messages: readonly unknown[]): Promise<string> {
  const known = steps.get(messages);
  if (known !== undefined) return known;
  const hash = sha256(JSON.stringify(messages));
  steps.set(messages, hash);
  return hash;
}
