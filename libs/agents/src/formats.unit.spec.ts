import { describe, expect, it } from 'vitest';
import { formatOf, idOf, requireWhole } from './formats.ts';
import { keyOf } from './key.ts';

const call = { id: 'c1', type: 'function', function: { name: 'noop', arguments: '{}' } };
const use = { type: 'tool_use', id: 'c1', name: 'noop', input: {} };
const item = { type: 'function_call', id: 'fc', call_id: 'c1', name: 'noop', arguments: '{}' };

describe('The format of a response', () => {
  it.each([
    ['openai', { id: 'chatcmpl-1', choices: [{ message: { role: 'assistant', content: null, tool_calls: [call] } }] }],
    ['openai', { role: 'assistant', content: null, tool_calls: [call] }],
    ['openai', { message: { tool_calls: [call] } }],
    ['openai', [call]],
    ['openai-responses', { id: 'resp_1', object: 'response', output: [item] }],
    ['openai-responses', [item]],
    ['anthropic', { id: 'msg_1', type: 'message', role: 'assistant', content: [use] }],
    ['anthropic', [use]],
    ['native', [{ id: 'c1', name: 'noop', arguments: {} }]],
    ['native', []],
  ])('is %s', (format, response) => expect(formatOf(response)).toBe(format));
});

describe('A response that was cut off', () => {
  it.each([
    { choices: [{ finish_reason: 'length' }] },
    { choices: [{ finish_reason: 'content_filter' }] },
    { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output: [] },
    { stop_reason: 'max_tokens', content: [] },
  ])('is refused: %j', (response) => expect(() => requireWhole(response)).toThrow(/cut off/));

  it.each([
    { choices: [{ finish_reason: 'tool_calls' }] },
    { choices: [{ finish_reason: 'stop' }] },
    { status: 'completed', output: [] },
    { stop_reason: 'tool_use', content: [] },
    [],
  ])('is told from a whole one: %j', (response) => expect(() => requireWhole(response)).not.toThrow());
});

describe('The key of a response', () => {
  it('is readable where its id is, else a hash that fits a header', async () => {
    expect(await keyOf('response', 'msg_01')).toBe('response/msg_01');
    for (const id of ['ü', 'a b', 'x'.repeat(500)]) {
      const key = await keyOf('response', id);
      expect(key).toMatch(/^response\/[0-9a-f]{64}$/);
      expect(await keyOf('response', id)).toBe(key);
    }
  });

  it('is none for what has no id', () => {
    expect(idOf({ choices: [] })).toBeUndefined();
    expect(idOf({ id: '' })).toBeUndefined();
    expect(idOf([use])).toBeUndefined();
    expect(idOf({ id: 'msg_1' })).toBe('msg_1');
  });
});
