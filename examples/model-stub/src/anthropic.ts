import { fieldsOf, listOf, require, requireAnswers, textOf } from './checks.ts';
import { bearer, type Dialect, pieces } from './dialect.ts';
import type { Result, SentTurn } from './script.ts';

/** Anthropic's Messages API. */
export const anthropicMessages: Dialect = {
  callIdPrefix: 'toolu_',
  key: (headers) => {
    const { 'x-api-key': key, authorization, 'anthropic-version': version } = headers;
    return typeof version === 'string' ? ([key].flat()[0] ?? bearer(authorization)) : undefined;
  },

  tool(tool, at) {
    const { name, input_schema } = fieldsOf(tool, `tools.${at}`);
    return { name, schema: input_schema, where: `tools.${at}.custom.input_schema` };
  },

  conversation({ max_tokens, messages }, sent) {
    require(Number.isInteger(max_tokens), 'max_tokens: Field required');
    return resultsIn(listOf(messages, 'messages'), sent);
  },

  answer: (turn, body, ids) => ({ ...head(body, ids), content: contentOf(turn), ...endOf(turn), usage: USAGE }),

  stream(turn, body, ids) {
    const events: { type: string; [key: string]: unknown }[] = [
      {
        type: 'message_start',
        message: { ...head(body, ids), content: [], stop_reason: null, stop_sequence: null, usage: USAGE },
      },
      { type: 'ping' },
    ];
    for (const [index, block] of contentOf(turn).entries()) {
      const [empty, deltas] =
        block.type === 'text'
          ? [{ ...block, text: '' }, pieces(block.text).map((text) => ({ type: 'text_delta', text }))]
          : [
              { ...block, input: {} },
              ['', ...pieces(JSON.stringify(block.input))].map((partial_json) => ({
                type: 'input_json_delta',
                partial_json,
              })),
            ];
      events.push({ type: 'content_block_start', index, content_block: empty });
      for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta });
      events.push({ type: 'content_block_stop', index });
    }
    events.push({ type: 'message_delta', delta: endOf(turn), usage: { output_tokens: 1 } }, { type: 'message_stop' });
    return events.map((event) => ({ event: event.type, data: event }));
  },

  error: (message, type) => ({ type: 'error', error: { type, message } }),
};

const USAGE = { input_tokens: 1, output_tokens: 1 };
const head = (body: unknown, ids: (prefix: string) => string) => ({
  id: ids('msg_'),
  type: 'message',
  role: 'assistant',
  model: (body as { model: string }).model,
});
const endOf = ({ calls }: SentTurn) => ({
  stop_reason: calls.length > 0 ? 'tool_use' : 'end_turn',
  stop_sequence: null,
});

type Block = { type: 'text'; text: string } | { type: 'tool_use'; id: string; name: string; input: unknown };
const contentOf = ({ text, calls }: SentTurn): Block[] => [
  ...(text ? [{ type: 'text' as const, text }] : []),
  ...calls.map(({ id, name, arguments: args }) => ({
    type: 'tool_use' as const,
    id,
    name,
    input: JSON.parse(args) as unknown,
  })),
];

/** Users and assistant take turns; each turn's calls are answered at the beginning of the one message that follows. */
function resultsIn(messages: readonly unknown[], sent: readonly SentTurn[]): Result[] {
  let turn = 0;
  let results: Result[] = [];
  for (const [at, value] of messages.entries()) {
    const { role, content, ...rest } = fieldsOf(value, `messages.${at}`);
    require(Object.keys(rest).length === 0, `messages.${at}.${Object.keys(rest)[0]}: Extra inputs are not permitted`);
    require(role ===
      (at % 2 === 0 ? 'user' : 'assistant'), `messages.${at}: roles must alternate between "user" and "assistant"`);
    const blocks = typeof content === 'string' ? [] : listOf(content, `messages.${at}.content`);
    if (role === 'assistant') {
      const uses = blocks.filter((block) => fieldsOf(block, `messages.${at}`).type === 'tool_use');
      const made = contentOf(sent[turn++] ?? { text: '', calls: [] }).filter(({ type }) => type === 'tool_use');
      require(JSON.stringify(uses.map(outlined)) ===
        JSON.stringify(made.map(outlined)), `messages.${at}: these are not the calls that were made`);
      continue;
    }
    const leading = blocks.findIndex((block) => fieldsOf(block, `messages.${at}`).type !== 'tool_result');
    results = (leading < 0 ? blocks : blocks.slice(0, leading)).map((block, place) =>
      resultOf(block, `messages.${at}.content.${place}`),
    );
    const calls = sent[turn - 1]?.calls ?? [];
    requireAnswers(
      calls,
      results,
      (missing) =>
        `messages.${at - 1}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${missing.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
    );
  }
  require(turn === sent.length && messages.length % 2 === 1, 'The conversation must end with a user message.');
  return results;
}

const outlined = (block: unknown) => {
  const { id, name, input } = block as { id: string; name: string; input: unknown };
  return { id, name, input };
};

function resultOf(block: unknown, where: string): Result {
  const { type: _, tool_use_id, content, is_error, ...rest } = fieldsOf(block, where);
  require(Object.keys(rest).length === 0, `${where}.${Object.keys(rest)[0]}: Extra inputs are not permitted`);
  require(is_error === undefined || typeof is_error === 'boolean', `${where}.is_error: expected a boolean`);
  const result = { id: textOf(tool_use_id, `${where}.tool_use_id`), content: textOf(content, `${where}.content`) };
  return is_error === true ? { ...result, isError: true } : result;
}
