import type Anthropic from '@anthropic-ai/sdk';
import { type RunOptions, runToolCalls, type ToolChoice, toolsFor } from '@toolstream/agents';
import type { Client } from '@toolstream/client';

export interface AgentOptions extends Pick<RunOptions, 'app' | 'messageId' | 'signal' | 'onEvent'> {
  readonly anthropic: Anthropic;
  readonly toolstream: Client;
  readonly model: string;
  readonly prompt: string;
  readonly tools?: ToolChoice;
  /** Words as the model writes them; without it the answers come whole. */
  readonly onText?: (text: string) => void;
}

export interface Conversation {
  readonly text: string;
  readonly messages: readonly Anthropic.MessageParam[];
  /** The runs of its turns, in order. */
  readonly runs: readonly string[];
}

const MOST_TURNS = 20;

/** An agent on the Messages API: asks, lets Toolstream run what the model wants run, tells the model, until it is done. */
export async function messagesAgent(options: AgentOptions): Promise<Conversation> {
  const { anthropic, toolstream, model, prompt, signal, onText, ...run } = options;
  const tools = await toolsFor(toolstream, 'anthropic', options.tools);
  const messages: Anthropic.MessageParam[] = [{ role: 'user', content: prompt }];
  const runs: string[] = [];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const request = { model, max_tokens: 4096, messages, tools };
    const message = onText
      ? await anthropic.messages.stream(request, { signal }).on('text', onText).finalMessage()
      : await anthropic.messages.create(request, { signal });
    messages.push({ role: 'assistant', content: message.content });
    const answered = await runToolCalls(message, { client: toolstream, ...run, ...(signal ? { signal } : {}) });
    if (!answered) return { text: textOf(message), messages, runs };
    runs.push(answered.run_id);
    messages.push(...answered.messages);
  }
  throw new Error(`The model did not come to an end within ${MOST_TURNS} turns.`);
}

const textOf = ({ content }: Anthropic.Message): string =>
  content.map((block) => (block.type === 'text' ? block.text : '')).join('');
