import type { ToolDefinition } from '@toolstream/proto-events';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ArgumentValidator } from './argument-validator.ts';

const broken: string[] = [];
const validator = new ArgumentValidator((tool) => broken.push(tool));

const definition = (name: string, input_schema: unknown): ToolDefinition => ({
  name,
  description: '',
  pool: 'default',
  input_schema: input_schema as ToolDefinition['input_schema'],
  idempotent: true,
  destructive: false,
  isolation: 'inline',
  approval: 'never',
  timeout_ms: 1_000,
  retries: { max_attempts: 1, initial_ms: 0, factor: 1, max_ms: 0 },
  estimated_ms: 1,
});

const schema = z.strictObject({
  file_path: z.string().min(1),
  at: z.iso.datetime().optional(),
  pair: z.tuple([z.string(), z.number()]).optional(),
});
const write = definition('os-write', z.toJSONSchema(schema));

describe('arguments of a call', () => {
  it('fit a schema as zod writes it, tuples and formats included', () => {
    expect(validator.problem(write, { file_path: 'a' })).toBeUndefined();
    expect(validator.problem(write, { file_path: 'a', at: '2026-01-01T00:00:00Z', pair: ['x', 1] })).toBeUndefined();
    expect(validator.problem(write, { file_path: 'a', at: 'yesterday' })).toContain('arguments/at must match');
    expect(validator.problem(write, { file_path: 'a', pair: [1, 'x'] })).toContain('arguments/pair/0 must be string');
  });

  it('fit a schema of draft 07, which says so', () => {
    const old = definition('old', {
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: { pair: { type: 'array', items: [{ type: 'string' }, { type: 'number' }] } },
    });
    expect(validator.problem(old, { pair: ['x', 1] })).toBeUndefined();
    expect(validator.problem(old, { pair: [1, 'x'] })).toContain('arguments/pair/0 must be string');
    expect(broken).toEqual([]);
  });

  it('are told by name what does not fit', () => {
    expect(validator.problem(write, { path: 'a' })).toBe(
      'The arguments do not fit the schema of os-write: ' +
        "arguments must have required property 'file_path'; arguments must NOT have additional properties (path).",
    );
    expect(validator.problem(write, 'text')).toContain('arguments must be object');
  });

  it('that are an artifact are left to the executor', () => {
    const ref = { $ref: { artifact: 'a/b', bytes: 1, sha256: '0'.repeat(64) } };
    expect(validator.problem(write, ref)).toBeUndefined();
  });

  it('pass where the schema is none, and that is reported once', () => {
    const odd = definition('odd', { type: 'no-such-type' });
    expect(validator.problem(odd, { a: 1 })).toBeUndefined();
    expect(validator.problem(odd, { a: 2 })).toBeUndefined();
    expect(broken).toEqual(['odd']);
  });

  it('are checked against the definition that is in force now', () => {
    const wider = { ...write, input_schema: { type: 'object' } };
    expect(validator.problem(wider, { path: 'a' })).toBeUndefined();
    expect(validator.problem(write, { path: 'a' })).toBeDefined();
  });
});
