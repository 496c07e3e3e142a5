import { fieldsOf, listOf, require, requireAnswers, textOf } from './checks.ts';
import { bearer, type Dialect, type Ids, pieces } from './dialect.ts';
import type { Result, SentTurn } from './script.ts';

/** OpenAI's Responses API. The conversation is sent whole each time: nothing is stored. */
export const responses: Dialect = {
  callIdPrefix: 'call_',
  key: ({ authorization }) => bearer(authorization),

  tool(tool, at) {
    const { type, name, parameters } = fieldsOf(tool, `tools[${at}]`);
    require(type === 'function', `tools[${at}].type: expected "function"`);
    return { name, schema: parameters, where: `tools[${at}].parameters` };
  },

  conversation: ({ input }, sent) => resultsIn(typeof input === 'string' ? [] : listOf(input, 'input'), sent),

  answer(turn, body, ids) {
    return whole(body, ids('resp_'), 'completed', outputOf(turn, ids));
  },

  stream(turn, body, ids) {
    const id = ids('resp_');
    const output = outputOf(turn, ids);
    const begun = whole(body, id, 'in_progress', []);
    const events: { type: string; [key: string]: unknown }[] = [
      { type: 'response.created', response: begun },
      { type: 'response.in_progress', response: begun },
    ];
    for (const [output_index, item] of output.entries()) {
      const at = { item_id: item.id, output_index };
      if (item.type === 'message') {
        const [part] = item.content;
        const text = { ...at, content_index: 0 };
        events.push({
          type: 'response.output_item.added',
          output_index,
          item: { ...item, status: 'in_progress', content: [] },
        });
        events.push({ type: 'response.content_part.added', ...text, part: { ...part, text: '' } });
        for (const delta of pieces(part.text))
          events.push({ type: 'response.output_text.delta', ...text, delta, logprobs: [] });
        events.push({ type: 'response.output_text.done', ...text, text: part.text, logprobs: [] });
        events.push({ type: 'response.content_part.done', ...text, part });
      } else {
        events.push({
          type: 'response.output_item.added',
          output_index,
          item: { ...item, status: 'in_progress', arguments: '' },
        });
        for (const delta of pieces(item.arguments))
          events.push({ type: 'response.function_call_arguments.delta', ...at, delta });
        events.push({ type: 'response.function_call_arguments.done', ...at, arguments: item.arguments });
      }
      events.push({ type: 'response.output_item.done', output_index, item });
    }
    events.push({ type: 'response.completed', response: whole(body, id, 'completed', output) });
    return events.map((event, sequence_number) => ({ event: event.type, data: { ...event, sequence_number } }));
  },

  error: (message, type) => ({ error: { message, type, param: 'input', code: null } }),
};

type Item =
  | {
      type: 'message';
      id: string;
      role: 'assistant';
      status: string;
      content: [{ type: 'output_text'; text: string; annotations: never[]; logprobs: never[] }];
    }
  | { type: 'function_call'; id: string; call_id: string; name: string; arguments: string; status: string };

function outputOf({ text, calls }: SentTurn, ids: Ids): Item[] {
  const message: Item = {
    type: 'message',
    id: ids('msg_'),
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [], logprobs: [] }],
  };
  return [
    ...(text ? [message] : []),
    ...calls.map(
      ({ id, name, arguments: args }): Item => ({
        type: 'function_call',
        id: ids('fc_'),
        call_id: id,
        name,
        arguments: args,
        status: 'completed',
      }),
    ),
  ];
}

const whole = (body: unknown, id: string, status: string, output: Item[]) => ({
  id,
  object: 'response',
  created_at: Math.floor(Date.now() / 1000),
  status,
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: (body as { model: string }).model,
  output,
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  usage: {
    input_tokens: 1,
    input_tokens_details: { cached_tokens: 0 },
    output_tokens: 1,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: 2,
  },
});

/** Every `function_call` that was made is in the input, and has its output behind it. */
function resultsIn(input: readonly unknown[], sent: readonly SentTurn[]): Result[] {
  const made = sent.flatMap(({ calls }) => calls);
  const calls: string[] = [];
  const results: Result[] = [];
  for (const [at, value] of input.entries()) {
    const { type, call_id, output, arguments: args, ...rest } = fieldsOf(value, `input[${at}]`);
    if (type === 'function_call') {
      const call = made[calls.length];
      require(call !== undefined &&
        call.id === call_id &&
        call.arguments === args &&
        call.name === rest.name, `input[${at}]: this is not the call that was made`);
      calls.push(call.id);
    } else if (type === 'function_call_output') {
      const id = textOf(call_id, `input[${at}].call_id`);
      require(calls.includes(id), `No tool call found for function call output with call_id ${id}.`);
      require(Object.keys(rest).length === 0, `Unknown parameter: 'input[${at}].${Object.keys(rest)[0]}'.`);
      results.push({ id, content: textOf(output, `input[${at}].output`) });
    }
  }
  require(calls.length === made.length, 'The input lacks a function call that was made.');
  requireAnswers(made, results, (missing) => `No tool output found for function call ${missing[0]}.`);
  const last = sent.at(-1)?.calls.length ?? 0;
  return last === 0 ? [] : results.slice(-last);
}
