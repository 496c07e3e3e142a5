import { type RunOptions, runToolCalls, type ToolChoice, toolsFor } from '@toolstream/agents';
import type { Client } from '@toolstream/client';
import type OpenAI from 'openai';

export interface AgentOptions extends Pick<RunOptions, 'app' | 'messageId' | 'signal' | 'onEvent'> {
  readonly openai: OpenAI;
  readonly toolstream: Client;
  readonly model: string;
  readonly prompt: string;
  readonly tools?: ToolChoice;
  /** Words as the model writes them; without it the answers come whole. */
  readonly onText?: (text: string) => void;
}

export interface Conversation<M> {
  readonly text: string;
  readonly messages: readonly M[];
  /** The runs of its turns, in order. */
  readonly runs: readonly string[];
}

type Message = OpenAI.ChatCompletionMessageParam;
const MOST_TURNS = 20;

/** An agent on the Chat Completions API: asks, lets Toolstream run what the model wants run, tells the model, until it is done. */
export async function chatAgent(options: AgentOptions): Promise<Conversation<Message>> {
  const { openai, toolstream, model, prompt, signal, onText, ...run } = options;
  const tools = await toolsFor(toolstream, 'openai', options.tools);
  const messages: Message[] = [{ role: 'user', content: prompt }];
  const runs: string[] = [];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const request = { model, messages, tools };
    const completion = onText
      ? await openai.chat.completions.stream(request, { signal }).on('content', onText).finalChatCompletion()
      : await openai.chat.completions.create(request, { signal });
    const message = completion.choices[0]!.message;
    messages.push(messageOf(message));
    const answered = await runToolCalls(completion, { client: toolstream, ...run, ...(signal ? { signal } : {}) });
    if (!answered) return { text: message.content ?? '', messages, runs };
    runs.push(answered.run_id);
    messages.push(...answered.messages);
  }
  throw new Error(`The model did not come to an end within ${MOST_TURNS} turns.`);
}

/** The model's message as it is sent back: a streamed one carries the SDK's own fields too. */
function messageOf({ content, tool_calls }: OpenAI.ChatCompletionMessage): Message {
  const calls = tool_calls?.map((call) =>
    call.type === 'function'
      ? { id: call.id, type: call.type, function: { name: call.function.name, arguments: call.function.arguments } }
      : call,
  );
  return { role: 'assistant', content, ...(calls?.length ? { tool_calls: calls } : {}) };
}
