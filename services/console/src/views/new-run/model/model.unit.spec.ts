import { ApiError, type ToolListing } from '@toolstream/client';
import type { RunSnapshot } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { type Draft, type DraftCall, EMPTY_DRAFT, evolveDraft, possibleDependencies, toRequest } from './draft.ts';
import { draftFrom } from './from-run.ts';
import { parseJson } from './json-text.ts';
import { keepDraft, keptDraft } from './kept-draft.ts';
import { pasted } from './paste.ts';
import { problemsOf, refusalOf } from './problems.ts';
import { misfits, placeOf } from './schema-check.ts';
import { skeletonOf } from './skeleton.ts';

const call = (key: string, more: Partial<DraftCall> = {}): DraftCall => ({
  key,
  id: key,
  name: 'os-write',
  text: '{}',
  depends_on: [],
  ...more,
});
const draft = (...calls: DraftCall[]): Draft => ({ ...EMPTY_DRAFT, app: 'app-1', calls });
const schema = {
  type: 'object',
  properties: {
    file_path: { type: 'string', minLength: 1 },
    lines: { type: 'array', items: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] } },
  },
  required: ['file_path'],
  additionalProperties: false,
};
const tool: ToolListing = {
  name: 'os-write',
  description: '',
  pool: 'default',
  input_schema: schema,
  idempotent: true,
  destructive: false,
  approval: 'never',
  timeout_ms: 1000,
};

describe('text that is to be JSON', () => {
  it.each([
    ['{"a": [1, 2.5e3, true, null, "\\u00e9\\n"]}', undefined],
    ['', [1, 1, 'nothing here']],
    ['{"a": 1,\n "b": }', [2, 7, 'Unexpected "}"']],
    ['{"a": 1,\n}', [2, 1, 'comma']],
    ["{'a': 1}", [1, 2, 'double quotation marks']],
    ['{a: 1}', [1, 2, 'double quotation marks']],
    ['{"a": [1, 2', [1, 12, 'ends before']],
    ['{"a": "x\ny"}', [1, 9, '\\n']],
    ['[1] 2', [1, 5, 'Unexpected "2"']],
    ['{"a": truth}', [1, 10, 'Unexpected']],
  ])('%j is understood, or the place is named', (text, failure) => {
    const parsed = parseJson(text);
    if (failure === undefined) return expect(parsed).toEqual({ ok: true, value: JSON.parse(text) });
    const [line, column, words] = failure as [number, number, string];
    expect(parsed).toMatchObject({ ok: false, line, column, message: expect.stringContaining(words) });
  });
});

describe('a pasted response', () => {
  const args = { file_path: 'a' };
  const openai = { id: 'x', type: 'function', function: { name: 'os-write', arguments: JSON.stringify(args) } };
  it.each([
    ['openai', { choices: [{ message: { role: 'assistant', tool_calls: [openai] } }] }],
    ['openai', { role: 'assistant', tool_calls: [openai] }],
    ['openai', [openai]],
    [
      'openai-responses',
      {
        output: [
          { type: 'reasoning' },
          { type: 'function_call', call_id: 'x', name: 'os-write', arguments: '{"file_path":"a"}' },
        ],
      },
    ],
    [
      'anthropic',
      {
        role: 'assistant',
        content: [
          { type: 'text', text: 'Yes' },
          { type: 'tool_use', id: 'x', name: 'os-write', input: args },
        ],
      },
    ],
    ['native', { tool_calls: [{ id: 'x', name: 'os-write', arguments: args }] }],
  ])('of %s gives its calls', (format, response) => {
    const read = pasted(JSON.stringify(response));
    expect(read).toMatchObject({ ok: true, format, calls: [{ id: 'x', name: 'os-write', waits_for: [] }] });
    expect(read.ok && JSON.parse(read.calls[0]!.text)).toEqual(args);
  });

  it('may stand between backticks, whose lines count', () => {
    expect(pasted('Sure:\n```json\n[]\n```')).toMatchObject({ ok: false });
    expect(pasted(`\n\`\`\`json\n${JSON.stringify([openai])}\n\`\`\`\n`)).toMatchObject({ ok: true });
    expect(pasted('```json\n{\n  "a": }\n```')).toMatchObject({ ok: false, line: 3, column: 8 });
  });

  it('keeps what waits for what, and broken arguments as they are', () => {
    const native = [
      { id: 'a', name: 'n', arguments: '{"x": ' },
      { id: 'b', name: 'n', depends_on: ['a'], timeout_ms: 5 },
    ];
    expect(pasted(JSON.stringify(native))).toMatchObject({
      calls: [{ text: '{"x": ' }, { text: '{}', waits_for: ['a'], timeout_ms: 5 }],
    });
  });

  it.each([
    ['', 'Paste a model'],
    ['{"error":{"message":"overloaded"}}', 'error that the model’s API answered with'],
    ['{"content":[{"type":"text","text":"no"}]}', 'asks for no tool'],
    ['{"a":1}', 'No tool calls are in this JSON'],
    ['[{"id":"a"}]', 'Call 0 of the answer'],
    ['{"tool_calls":[{"id":"a","name":"x"},5]}', 'Call 1 of the answer'],
    ['null', 'No tool calls'],
  ])('that holds no calls, %j, says what is wrong', (text, words) => {
    expect(pasted(text)).toMatchObject({ ok: false, message: expect.stringContaining(words) });
  });
});

describe('a draft', () => {
  it('gives added calls ids of their own', () => {
    const { calls } = evolveDraft(draft(call('c1', { id: 'a' })), {
      type: 'add',
      calls: [call('', { id: 'a' }), call('', { id: '' }), call('', { id: 'b' })],
    });
    expect(calls.map(({ id }) => id)).toEqual(['a', 'a_2', 'call_1', 'b']);
    expect(calls.map(({ key }) => key)).toEqual(['c1', 'c2', 'c3', 'c4']);
  });

  it('lets added calls wait for each other, whatever ids they get', () => {
    const added = [
      { id: 'a', name: 'n', text: '{}' },
      { id: 'b', name: 'n', text: '{}', waits_for: ['a', 'elsewhere', 'b'] },
    ];
    const { calls } = evolveDraft(draft(call('c1', { id: 'a' })), { type: 'add', calls: added });
    expect(calls.map(({ id, key, depends_on }) => [id, key, depends_on])).toEqual([
      ['a', 'c1', []],
      ['a_2', 'c2', []],
      ['b', 'c3', ['c2']],
    ]);
    expect(calls[2]).not.toHaveProperty('waits_for');
  });

  it('begins a call with what its schema needs', () => {
    expect(
      skeletonOf({
        ...schema,
        properties: {
          ...schema.properties,
          size: { type: 'integer', minimum: 1 },
          kind: { const: 'x' },
          mode: { type: 'string', default: 'fast' },
          any: { anyOf: [{ type: 'string' }, { type: 'array' }] },
          optional: { type: 'string' },
        },
        required: ['file_path', 'lines', 'size', 'kind', 'mode', 'any', 'unnamed'],
      }),
    ).toEqual({ file_path: '', lines: [], size: 1, kind: 'x', mode: 'fast', any: '', unnamed: null });
    expect(skeletonOf({})).toEqual({});
  });

  it('moves calls within bounds, and forgets a removed one everywhere', () => {
    const three = draft(call('c1'), call('c2', { depends_on: ['c1'] }), call('c3'));
    const keys = ({ calls }: Draft) => calls.map(({ key }) => key);
    expect(keys(evolveDraft(three, { type: 'move', key: 'c3', by: -1 }))).toEqual(['c1', 'c3', 'c2']);
    expect(keys(evolveDraft(three, { type: 'move', key: 'c1', by: -1 }))).toEqual(['c1', 'c2', 'c3']);
    const left = evolveDraft(three, { type: 'remove', key: 'c1' });
    expect(left.calls[0]?.depends_on).toEqual([]);
  });

  it('offers to wait only for what does not wait for the call itself', () => {
    const calls = [call('a'), call('b', { depends_on: ['a'] }), call('c', { depends_on: ['b'] }), call('d')];
    const offered = (key: string) => possibleDependencies(calls, key).map((other) => other.key);
    expect(offered('a')).toEqual(['d']);
    expect(offered('c')).toEqual(['a', 'b', 'd']);
  });

  it('becomes the request that it stands for', () => {
    const calls = [
      call('c1', { id: 'a', text: '{"x":1}' }),
      call('c2', { id: 'b', text: ' ', depends_on: ['c1'], timeout_ms: 9 }),
    ];
    const of = (order: Draft['order']) => toRequest({ ...draft(...calls), order, message_id: ' m1 ' });
    expect(of('graph')).toEqual({
      app: 'app-1',
      message_id: 'm1',
      mode: 'parallel',
      tool_calls: [
        { id: 'a', name: 'os-write', arguments: { x: 1 } },
        { id: 'b', name: 'os-write', arguments: {}, depends_on: ['a'], timeout_ms: 9 },
      ],
    });
    expect(of('sequential')).toMatchObject({ mode: 'sequential' });
    expect(of('sequential').tool_calls[1]).not.toHaveProperty('depends_on');
  });

  it('is kept for the session, and what is none is not taken for one', () => {
    const kept = new Map<string, string>();
    const storage = {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, value: string) => void kept.set(key, value),
      removeItem: (key: string) => void kept.delete(key),
    };
    expect(keptDraft(storage)).toBeUndefined();
    const mine = draft(call('c1'));
    keepDraft(storage, mine);
    expect(keptDraft(storage)).toEqual(mine);
    keepDraft(storage, EMPTY_DRAFT);
    expect(kept.size).toBe(0);
    for (const text of ['no json', '{"calls":[{"id":1}]}', '7']) {
      kept.set('toolstream.new-run', text);
      expect(keptDraft(storage)).toBeUndefined();
    }
    const refuse = () => {
      throw new Error('QuotaExceededError');
    };
    expect(() => keepDraft({ ...storage, setItem: refuse }, mine)).not.toThrow();
  });
});

describe('arguments against a schema', () => {
  it('name each misfit once, with its place', () => {
    const found = misfits(schema, { lines: [{ n: 1 }, { n: 'x' }, {}], extra: 1 });
    expect(found.map((misfit) => placeOf(misfit)).sort()).toEqual(['extra', 'file_path', 'lines[1].n', 'lines[2].n']);
    expect(found.find(({ keyword }) => keyword === 'required')?.message).toBe('This is needed.');
    expect(misfits(schema, { file_path: 'a' })).toEqual([]);
    expect(placeOf({ path: [] })).toBe('arguments');
  });

  it('fit a schema that cannot be used here: the service decides', () => {
    expect(misfits({ $ref: '#/nowhere' }, {})).toEqual([]);
  });
});

describe('problems of a draft', () => {
  const words = (found: readonly { call?: string; field: string }[]) =>
    found.map(({ call, field }) => `${call ?? 'run'} ${field}`);
  it('are named where they are put right', () => {
    expect(words(problemsOf(EMPTY_DRAFT, undefined))).toEqual(['run app', 'run calls']);
    const found = problemsOf(
      {
        ...draft(
          call('c1', { id: 'same', text: '{"file_path":"a"}' }),
          call('c2', { id: 'same', text: '{' }),
          call('c3', { name: 'other', text: '{}' }),
          call('c4', { text: '{"file_path":""}' }),
        ),
        app: 'a b',
      },
      [tool],
    );
    expect(words(found)).toEqual(['run app', 'c1 id', 'c2 id', 'c2 arguments', 'c3 name', 'c4 arguments']);
    expect(found.find(({ call: key }) => key === 'c3')?.warning).toBe(true);
  });
});

describe('a refusal', () => {
  const two = draft(call('c1', { id: 'a' }), call('c2', { id: 'b' }));
  it('stands at the call that it names', () => {
    const fields = [{ path: 'tool_calls[1].function.name', message: 'Too big' }];
    expect(refusalOf(new ApiError('invalid', 'x', { fields }), two)).toEqual([
      { call: 'c2', field: 'name', message: 'Too big' },
    ]);
    const cycle = new ApiError('dependency_cycle', 'These calls wait for each other: a → b → a.');
    expect(refusalOf(cycle, two).map(({ call: key, field }) => [key, field])).toEqual([
      ['c1', 'depends_on'],
      ['c2', 'depends_on'],
    ]);
    const twice = new ApiError('duplicate_call_id', 'The call id "b" occurs more than once.');
    expect(refusalOf(twice, two)).toEqual([{ call: 'c2', field: 'id', message: twice.message }]);
    const waits = new ApiError('invalid', 'tool_calls[0].depends_on names "z", which is no call of this run.');
    expect(refusalOf(waits, two)).toEqual([{ call: 'c1', field: 'depends_on', message: waits.message }]);
    expect(refusalOf(new ApiError('invalid', 'x', { fields: [{ path: 'app', message: 'no' }] }), two)).toEqual([
      { field: 'app', message: 'no' },
    ]);
  });

  it('that names no call concerns the run', () => {
    expect(refusalOf(new ApiError('rate_limited', 'Too many requests.'), two)).toEqual([]);
    expect(refusalOf(new Error('network'), two)).toEqual([]);
  });
});

describe('a run as a draft', () => {
  it('has its calls with their order and their whole arguments', async () => {
    const large = { file_path: 'a', content: 'x' };
    const ref = { $ref: { artifact: 't.r.arguments.x', bytes: 9, sha256: '0'.repeat(64) } };
    const run = {
      run_id: 'r',
      app: 'app-1',
      ordering: 'graph',
      tools: [
        { index: 0, call_id: 'a', name: 'os-write', arguments: ref, depends_on: [], timeout_ms: 5 },
        {
          index: 1,
          call_id: 'b',
          name: 'none',
          arguments: {},
          depends_on: [0],
          timeout_ms: 1,
          rejection: { code: 'unknown_tool', message: '' },
        },
        {
          index: 2,
          call_id: 'c',
          name: 'os-write',
          arguments: '{"x',
          depends_on: [],
          timeout_ms: 5,
          rejection: { code: 'invalid_arguments', message: '' },
        },
      ],
    } as unknown as RunSnapshot;
    const asked: string[] = [];
    const artifact = async (id: string) => {
      asked.push(id);
      return new TextEncoder().encode(JSON.stringify(large));
    };
    const made = await draftFrom(run, { artifact });
    expect(asked).toEqual(['r']);
    expect(made).toMatchObject({ app: 'app-1', message_id: '', order: 'graph' });
    expect(JSON.parse(made.calls[0]!.text)).toEqual(large);
    expect(made.calls.map(({ id, depends_on, timeout_ms }) => [id, depends_on, timeout_ms])).toEqual([
      ['a', [], 5],
      ['b', ['c1'], undefined],
      ['c', [], 5],
    ]);
    expect(made.calls[2]?.text).toBe('{"x');
  });
});
