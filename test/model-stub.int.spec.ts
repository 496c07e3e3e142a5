import Anthropic from '@anthropic-ai/sdk';
import { type ModelStub, startModelStub } from '@toolstream/example-model-stub';
import OpenAI from 'openai';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** What the agents' tests rest on: a model stub that refuses what the real APIs refuse. */
let stub: ModelStub;
beforeEach(async () => {
  stub = await startModelStub((_, turn) =>
    turn === 0 ? { calls: [1, 2].map((x) => ({ name: 'noop', arguments: { x } })) } : { text: 'done' },
  );
});
afterEach(() => stub.stop());

/** Lists of results that no API takes for two calls, and one that it does. */
const WRONG: [what: string, spoil: <T>(results: T[]) => T[]][] = [
  ['one call unanswered', ([first]) => [first!]],
  ['none answered', () => []],
  ['answers out of order', (results) => results.toReversed()],
  ['one answered twice', ([first, second]) => [first!, first!, second!]],
];

describe('The model stub refuses', () => {
  it.each(WRONG)('on chat completions: %s', async (_, spoil) => {
    const openai = new OpenAI({ baseURL: `${stub.url}/v1`, apiKey: 'k', maxRetries: 0 });
    const messages: OpenAI.ChatCompletionMessageParam[] = [{ role: 'user', content: 'go' }];
    const { choices } = await openai.chat.completions.create({ model: 'm', messages });
    const { tool_calls: calls = [] } = choices[0]!.message;
    messages.push({ role: 'assistant', content: null, tool_calls: calls });
    const results = calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'ok' }));
    const ask = (told: OpenAI.ChatCompletionMessageParam[]) =>
      openai.chat.completions.create({ model: 'm', messages: [...messages, ...told] });
    await expect(ask(spoil(results))).rejects.toMatchObject({ status: 400 });
    await expect(ask([{ ...results[0]!, tool_call_id: 'call_other' }, results[1]!])).rejects.toMatchObject({
      status: 400,
    });
    await expect(ask([{ ...results[0]!, content: { ok: true } as never }, results[1]!])).rejects.toMatchObject({
      status: 400,
    });
    expect((await ask(results)).choices[0]?.message.content).toBe('done');
  });

  it.each(WRONG)('on responses: %s', async (_, spoil) => {
    const openai = new OpenAI({ baseURL: `${stub.url}/v1`, apiKey: 'k', maxRetries: 0 });
    const input: OpenAI.Responses.ResponseInputItem[] = [{ role: 'user', content: 'go' }];
    const { output } = await openai.responses.create({ model: 'm', input });
    const calls = output.filter((item) => item.type === 'function_call');
    const results = calls.map(({ call_id }) => ({ type: 'function_call_output' as const, call_id, output: 'ok' }));
    const ask = (told: OpenAI.Responses.ResponseInputItem[]) =>
      openai.responses.create({ model: 'm', input: [...input, ...calls, ...told] });
    await expect(ask(spoil(results))).rejects.toMatchObject({ status: 400 });
    // By the item's id, where the API wants the call's.
    const confused = results.map((result, at) => ({ ...result, call_id: calls[at]!.id! }));
    await expect(ask(confused)).rejects.toMatchObject({ status: 400 });
    expect((await ask(results)).output_text).toBe('done');
  });

  it.each(WRONG)('on messages: %s', async (_, spoil) => {
    const anthropic = new Anthropic({ baseURL: stub.url, apiKey: 'k', maxRetries: 0 });
    const messages: Anthropic.MessageParam[] = [{ role: 'user', content: 'go' }];
    const first = await anthropic.messages.create({ model: 'm', max_tokens: 9, messages });
    messages.push({ role: 'assistant', content: first.content });
    const results = first.content
      .filter((block) => block.type === 'tool_use')
      .map(({ id }) => ({ type: 'tool_result' as const, tool_use_id: id, content: 'ok' }));
    const ask = (...told: Anthropic.MessageParam[]) =>
      anthropic.messages.create({ model: 'm', max_tokens: 9, messages: [...messages, ...told] });
    await expect(ask({ role: 'user', content: spoil(results) })).rejects.toMatchObject({ status: 400 });
    const apart = results.map((result) => ({ role: 'user' as const, content: [result] }));
    await expect(ask(...apart)).rejects.toMatchObject({ status: 400 });
    const late = [{ type: 'text' as const, text: 'here they are' }, ...results];
    await expect(ask({ role: 'user', content: late })).rejects.toMatchObject({ status: 400 });
    const last = await ask({ role: 'user', content: results });
    expect(last.content).toEqual([{ type: 'text', text: 'done' }]);
  });
});
