import { fieldsOf, listOf, require, requireAnswers, textOf } from './checks.ts';
import { bearer, type Dialect, pieces } from './dialect.ts';
import type { Result, SentTurn } from './script.ts';

/** OpenAI's Chat Completions API. */
export const chatCompletions: Dialect = {
  callIdPrefix: 'call_',
  key: ({ authorization }) => bearer(authorization),

  tool(tool, at) {
    const { type, function: named } = fieldsOf(tool, `tools[${at}]`);
    require(type === 'function', `tools[${at}].type: expected "function"`);
    const { name, parameters } = fieldsOf(named, `tools[${at}].function`);
    return { name, schema: parameters, where: `tools[${at}].function.parameters` };
  },

  conversation: ({ messages }, sent) => resultsIn(listOf(messages, 'messages'), sent),

  answer: (turn, body, ids) => ({
    ...head(body, ids, 'chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: turn.text || null,
          refusal: null,
          annotations: [],
          ...(turn.calls.length === 0 ? {} : { tool_calls: turn.calls.map(callOf) }),
        },
        logprobs: null,
        finish_reason: reasonOf(turn),
      },
    ],
    usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
  }),

  stream(turn, body, ids) {
    const common = head(body, ids, 'chat.completion.chunk');
    const chunk = (delta: object, finish_reason: string | null = null) => ({
      data: { ...common, choices: [{ index: 0, delta, logprobs: null, finish_reason }] },
    });
    return [
      chunk({ role: 'assistant', content: turn.text ? '' : null, refusal: null }),
      ...pieces(turn.text).map((content) => chunk({ content })),
      ...turn.calls.flatMap((call, index) => [
        chunk({ tool_calls: [{ index, ...callOf({ ...call, arguments: '' }) }] }),
        ...pieces(call.arguments).map((part) => chunk({ tool_calls: [{ index, function: { arguments: part } }] })),
      ]),
      chunk({}, reasonOf(turn)),
      { data: '[DONE]' },
    ];
  },

  error: (message, type) => ({ error: { message, type, param: null, code: null } }),
};

const head = (body: unknown, ids: (prefix: string) => string, object: string) => ({
  id: ids('chatcmpl-'),
  object,
  created: Math.floor(Date.now() / 1000),
  model: (body as { model: string }).model,
});
const reasonOf = ({ calls }: SentTurn) => (calls.length > 0 ? 'tool_calls' : 'stop');
const callOf = ({ id, name, arguments: args }: SentTurn['calls'][number]) => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});

const ROLES = new Set(['system', 'developer', 'user', 'assistant', 'tool']);

/** Every `tool_calls` of the assistant is what was sent, and is followed at once by a message for each of its ids. */
function resultsIn(messages: readonly unknown[], sent: readonly SentTurn[]): Result[] {
  let turn = 0;
  let results: Result[] = [];
  for (let at = 0; at < messages.length; at++) {
    const where = `messages.[${at}]`;
    const message = fieldsOf(messages[at], where);
    require(ROLES.has(
      message.role as string,
    ), `${where}.role: ${JSON.stringify(message.role)} is not one of the roles`);
    require(message.role !==
      'tool', `Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.`);
    if (message.role !== 'assistant') continue;
    const { calls } = sent[turn++] ?? { calls: [] };
    const given = message.tool_calls === undefined ? [] : listOf(message.tool_calls, `${where}.tool_calls`);
    require(JSON.stringify(given) ===
      JSON.stringify(calls.map(callOf)), `${where}: these are not the calls that were made`);
    results = [];
    while (fieldsOf(messages[at + 1] ?? {}, where).role === 'tool') results.push(resultOf(messages[++at], at));
    requireAnswers(
      calls,
      results,
      (missing) =>
        `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${missing.join(', ')}`,
    );
  }
  require(turn === sent.length, 'The conversation lacks an answer that was given.');
  return results;
}

function resultOf(message: unknown, at: number): Result {
  const { tool_call_id, content, ...rest } = fieldsOf(message, `messages.[${at}]`);
  const unknown = Object.keys(rest).find((key) => key !== 'role');
  require(unknown === undefined, `Unknown parameter: 'messages[${at}].${unknown}'.`);
  return {
    id: textOf(tool_call_id, `messages.[${at}].tool_call_id`),
    content: textOf(content, `messages.[${at}].content`),
  };
}
