import { describe, expect, it } from 'vitest';
import { inputNeeded, ToolFailure } from './failure.ts';
import { schemaCheck } from './json-schema.ts';
import { testTool } from './testing/index.ts';
import { defineJsonTool, toolDefinition } from './tool.ts';

const inputSchema = { type: 'object', properties: { to: { type: 'integer' } }, required: ['to'] };
const count = defineJsonTool({
  name: 'count',
  description: 'Counts',
  inputSchema,
  idempotent: true,
  estimatedMs: 5,
  run: (_, { to }) => ({ counted: to ?? null }),
});

describe('A check against a JSON Schema', () => {
  it('names what does not fit', () => {
    const check = schemaCheck({ ...inputSchema, additionalProperties: false }, 'arguments');
    expect(check({ to: 1 })).toBeUndefined();
    expect(check({ to: 'x', more: 1 })).toMatch(/\(more\).*arguments\/to must be integer/);
  });

  it('reads a schema in the draft that it names', () => {
    const pair = { type: 'array', items: [{ type: 'string' }, { type: 'number' }] };
    const check = schemaCheck({ $schema: 'http://json-schema.org/draft-07/schema#', ...pair }, 'value');
    expect(check(['x', 1])).toBeUndefined();
    expect(check([1])).toContain('value/0 must be string');
    expect(() => schemaCheck(pair, 'value')).toThrow();
  });
});

describe('A tool that is described by a JSON Schema', () => {
  it('is announced with it as it is', () => {
    expect(toolDefinition(count, 'default').input_schema).toEqual(inputSchema);
  });

  it('receives only what fits', async () => {
    expect(await testTool(count, { to: 3 }).end).toEqual({ status: 'succeeded', result: { counted: 3 } });
    for (const args of [{}, { to: 'three' }, [3], 'three']) {
      expect(await testTool(count, args).end).toMatchObject({ error: { code: 'invalid_arguments' }, retryable: false });
    }
  });

  it('is refused when the schema cannot be used', () => {
    const policy = { name: 'x', description: '', idempotent: true, estimatedMs: 1 };
    expect(() => defineJsonTool({ ...policy, inputSchema: { properties: 7 }, run: () => null })).toThrow();
  });
});

describe('A tool that needs an answer', () => {
  it('ends with the question', async () => {
    const request = { message: 'Which?', schema: { type: 'object' } };
    const asking = defineJsonTool({
      name: 'asking',
      description: 'Asks',
      inputSchema,
      idempotent: true,
      estimatedMs: 5,
      run: () => {
        throw inputNeeded(request);
      },
    });
    expect(await testTool(asking, { to: 1 }).end).toEqual({ status: 'released', reason: 'input', request });
  });

  it('asks with its message where it made the failure by hand', async () => {
    const asking = defineJsonTool({
      name: 'asking',
      description: 'Asks',
      inputSchema,
      idempotent: true,
      estimatedMs: 5,
      run: () => {
        throw new ToolFailure({ code: 'input_needed', message: 'Which?' });
      },
    });
    const request = { message: 'Which?' };
    expect(await testTool(asking, { to: 1 }).end).toEqual({ status: 'released', reason: 'input', request });
  });
});
