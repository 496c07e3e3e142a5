import { runToolCalls, toolsFor } from '@toolstream/agents';
import type OpenAI from 'openai';
import type { AgentOptions, Conversation } from './chat-agent.ts';

type Item = OpenAI.Responses.ResponseInputItem;
const MOST_TURNS = 20;

/** The same agent on the Responses API. */
export async function responsesAgent(options: AgentOptions): Promise<Conversation<Item>> {
  const { openai, toolstream, model, prompt, signal, onText, ...run } = options;
  const tools = await toolsFor(toolstream, 'openai-responses', options.tools);
  const input: Item[] = [{ role: 'user', content: prompt }];
  const runs: string[] = [];
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const request = { model, input, tools, store: false };
    const response = onText
      ? await openai.responses
          .stream(request, { signal })
          .on('response.output_text.delta', ({ delta }) => onText(delta))
          .finalResponse()
      : await openai.responses.create(request, { signal });
    for (const item of response.output) input.push(itemOf(item));
    const answered = await runToolCalls(response, { client: toolstream, ...run, ...(signal ? { signal } : {}) });
    if (!answered) return { text: response.output_text, messages: input, runs };
    runs.push(answered.run_id);
    input.push(...answered.messages);
  }
  throw new Error(`The model did not come to an end within ${MOST_TURNS} turns.`);
}

/** A call is sent back as the API made it: the SDK adds its reading of the arguments. */
function itemOf(item: OpenAI.Responses.ResponseOutputItem): Item {
  if (item.type !== 'function_call') return item as Item;
  const { parsed_arguments: _, ...call } = item as typeof item & { parsed_arguments?: unknown };
  return call;
}
