import { type Json, toolDefinition } from '@toolstream/proto-events';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { commonSchema } from './common-schema.ts';
import { MODEL_TOOL_FORMATS, modelTools } from './model-tools.ts';

type Schema = { [key: string]: Json };

const schemaOf = (input: z.ZodType): Schema => z.toJSONSchema(input, { io: 'input' }) as Schema;
const definition = (input_schema: Schema, over: object = {}) =>
  toolDefinition.parse({
    name: 'tool',
    description: 'Does something.',
    pool: 'default',
    input_schema,
    idempotent: true,
    destructive: false,
    isolation: 'thread',
    approval: 'never',
    timeout_ms: 1000,
    retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
    estimated_ms: 1,
    ...over,
  });

const ajv = new Ajv2020({ strict: false, validateFormats: false });
const accepts = (schema: Schema, value: unknown): boolean => ajv.compile(schema)(value) as boolean;

/** All that an author may write with zod. */
const everything = z.object({
  path: z.string().min(1).max(512).describe('Where'),
  url: z.url().optional(),
  mode: z.enum(['fast', 'thorough']).default('fast'),
  kind: z.literal('file'),
  limit: z.int().min(1).max(50).optional(),
  size: z.int(),
  ratio: z.number().positive(),
  when: z.union([z.string(), z.number()]).optional(),
  note: z.string().nullable(),
  target: z.discriminatedUnion('type', [
    z.object({ type: z.literal('lines'), from: z.int(), to: z.int() }),
    z.object({ type: z.literal('all') }),
  ]),
  tags: z.record(z.string(), z.string()).optional(),
  point: z.tuple([z.number(), z.number()]).optional(),
  pair: z.tuple([z.string(), z.number()]).optional(),
  rest: z.tuple([z.string()], z.number()).optional(),
  value: z.json().optional(),
  anything: z.any(),
});
const call = {
  path: 'a',
  kind: 'file',
  size: 3,
  ratio: 0.5,
  note: null,
  target: { type: 'lines', from: 1, to: 2 },
  anything: 1,
};
const calls = [
  call,
  { ...call, target: { type: 'all' }, when: 5, tags: { a: 'b' }, limit: 50, mode: 'thorough', url: 'https://x.org' },
  {
    ...call,
    point: [1, 2],
    pair: ['a', 1],
    rest: ['a', 1, 2],
    when: 'now',
    note: 'n',
    value: { deep: [[1], { a: null }] },
  },
];

function* nodes(value: Json): Generator<Schema> {
  if (Array.isArray(value)) for (const each of value) yield* nodes(each);
  else if (typeof value === 'object' && value !== null) {
    yield value;
    for (const each of Object.values(value)) yield* nodes(each);
  }
}

describe('tools for a model', () => {
  const plain = definition(schemaOf(z.object({ path: z.string() })));
  const parameters = { type: 'object', properties: { path: { type: 'string' } }, required: ['path'] };
  const about = { name: 'tool', description: 'Does something.' };

  it('have the shape of the API that they are for', () => {
    expect(modelTools([plain], 'openai')).toEqual([
      { type: 'function', function: { ...about, parameters, strict: false } },
    ]);
    expect(modelTools([plain], 'openai-responses')).toEqual([
      { type: 'function', ...about, parameters, strict: false },
    ]);
    expect(modelTools([plain], 'anthropic')).toEqual([{ ...about, input_schema: parameters }]);
  });

  it('are one each, in however many pools', () => {
    expect(modelTools([plain, { ...plain, pool: 'gpu' }, { ...plain, name: 'other' }], 'anthropic')).toHaveLength(2);
  });

  it('have descriptions of a length that OpenAI takes', () => {
    const long = definition({}, { description: 'x'.repeat(4096) });
    const [tool] = modelTools([long], 'openai-responses') as { description: string }[];
    expect(tool?.description).toHaveLength(1024);
    expect((modelTools([long], 'anthropic') as { description: string }[])[0]?.description).toHaveLength(4096);
  });

  it.each(MODEL_TOOL_FORMATS)('say nothing that %s refuses, whatever an author writes', (format) => {
    const text = JSON.stringify(modelTools([definition(schemaOf(everything))], format));
    for (const word of ['$schema', 'oneOf', 'prefixItems', 'propertyNames', '"const"', '9007199254740991']) {
      expect(text).not.toContain(word);
    }
  });
});

describe('a common schema', () => {
  it('takes every call that the tool’s own schema takes', () => {
    const own = schemaOf(everything);
    const common = commonSchema(own);
    for (const each of calls) {
      expect(everything.safeParse(each).success).toBe(true);
      expect(accepts(own, each)).toBe(true);
      expect(accepts(common, each)).toBe(true);
    }
  });

  it('still refuses what has nothing to do with it', () => {
    const common = commonSchema(schemaOf(everything));
    const wrong = [
      { ...call, path: 1 },
      { ...call, mode: 'slow' },
      { ...call, kind: 'folder' },
      { ...call, target: { type: 'some' } },
      { ...call, limit: 51 },
      { ...call, ratio: 0 },
      { ...call, point: [1] },
      { ...call, point: ['1', 2] },
      { ...call, note: undefined },
    ];
    for (const each of wrong) expect(accepts(common, JSON.parse(JSON.stringify(each)))).toBe(false);
  });

  it('keeps optional fields optional, enums and descriptions', () => {
    const { properties, required } = commonSchema(schemaOf(everything)) as {
      properties: { [name: string]: Schema };
      required: string[];
    };
    expect(required).not.toContain('url');
    expect(required).not.toContain('mode');
    expect(required).toContain('note');
    expect(properties.mode).toEqual({ type: 'string', enum: ['fast', 'thorough'], default: 'fast' });
    expect(properties.kind).toEqual({ type: 'string', enum: ['file'] });
    expect(properties.path).toMatchObject({ description: 'Where', minLength: 1 });
  });

  it('has an items in every array', () => {
    for (const node of nodes(commonSchema(schemaOf(everything)))) {
      if (node.type === 'array') expect(node.items).toBeTypeOf('object');
    }
  });

  it('is an object with properties at its top, even of nothing', () => {
    expect(commonSchema({})).toEqual({ type: 'object', properties: {} });
    expect(commonSchema({ type: 'object' })).toEqual({ type: 'object', properties: {} });
  });

  it('has no union at its top: each alternative is still taken', () => {
    const a = { type: 'object', properties: { by: { const: 'id' }, id: { type: 'string' } }, required: ['by', 'id'] };
    const b = {
      type: 'object',
      properties: { by: { const: 'name' }, name: { type: 'string' } },
      required: ['by', 'name'],
    };
    for (const union of ['oneOf', 'anyOf']) {
      const common = commonSchema({ $schema: 'http://json-schema.org/draft-07/schema#', [union]: [a, b] });
      expect(Object.keys(common).sort()).toEqual(['properties', 'required', 'type']);
      expect(common.required).toEqual(['by']);
      expect(accepts(common, { by: 'id', id: '1' }) && accepts(common, { by: 'name', name: 'n' })).toBe(true);
      expect(common.properties).toMatchObject({ by: { enum: ['id', 'name'] } });
      expect(accepts(common, {})).toBe(false);
    }
    const all = commonSchema({ allOf: [a, { properties: { x: { type: 'number' } }, required: ['x'] }] });
    expect(all.required).toEqual(['by', 'id', 'x']);
  });

  it('is of today’s draft, also where the tool’s is of an older one', () => {
    const common = commonSchema({
      $schema: 'http://json-schema.org/draft-04/schema#',
      id: 'http://example.org/tool',
      type: 'object',
      properties: {
        id: { $ref: '#/definitions/id' },
        size: { type: 'number', minimum: 0, exclusiveMinimum: true, maximum: 5, exclusiveMaximum: false },
        pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }], additionalItems: false },
        open: { type: 'array', items: [{ type: 'string' }] },
      },
      definitions: { id: { type: 'string' } },
    });
    expect(common).toEqual({
      type: 'object',
      properties: {
        id: { $ref: '#/$defs/id' },
        size: { type: 'number', exclusiveMinimum: 0, maximum: 5 },
        pair: { type: 'array', items: { anyOf: [{ type: 'string' }, { type: 'number' }] }, maxItems: 2 },
        open: { type: 'array', items: { anyOf: [{ type: 'string' }, {}] } },
      },
      $defs: { id: { type: 'string' } },
    });
  });

  it('has in its top’s place what the top refers to', () => {
    const $defs = { Args: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } };
    expect(commonSchema({ $ref: '#/definitions/Args', definitions: $defs })).toEqual({ ...$defs.Args, $defs });
  });
});
