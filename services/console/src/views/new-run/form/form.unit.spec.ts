import type { RJSFSchema } from '@rjsf/utils';
import { describe, expect, it } from 'vitest';
import { uiSchemaOf } from './ui-schema.ts';
import { toFormErrors, validator } from './validator.ts';

describe('how the fields of a schema are written', () => {
  it('is with room for texts that may be long, wherever they are', () => {
    const text: RJSFSchema = { type: 'string' };
    const schema: RJSFSchema = {
      type: 'object',
      properties: {
        content: text,
        path: { type: 'string', maxLength: 512 },
        kind: { type: 'string', enum: ['a'] },
        when: { type: 'string', format: 'date' },
        lines: { type: 'array', items: text },
        either: { anyOf: [text, { type: 'number' }] },
        inner: { type: 'object', properties: { note: text } },
      },
    };
    const area = { 'ui:widget': 'textarea' };
    expect(uiSchemaOf(schema)).toEqual({
      content: area,
      lines: { items: area },
      either: { anyOf: [area, {}] },
      inner: { note: area },
    });
  });

  it('ends with schemas that hold themselves', () => {
    const endless: RJSFSchema = { type: 'object', properties: {} };
    endless.properties = { again: endless, note: { type: 'string' } };
    expect(JSON.stringify(uiSchemaOf(endless)).length).toBeLessThan(2_000);
  });
});

describe('the validator of the form', () => {
  const root: RJSFSchema = { $defs: { name: { type: 'string', minLength: 2 } } };

  it('tells which branch a value belongs to, also where it refers to definitions of the whole', () => {
    expect(validator.isValid({ $ref: '#/$defs/name' }, 'ab', root)).toBe(true);
    expect(validator.isValid({ $ref: '#/$defs/name' }, 'a', root)).toBe(false);
    expect(validator.isValid({ type: 'array' }, [], root)).toBe(true);
    expect(validator.isValid({ $ref: '#/$defs/none' }, 'a', root)).toBe(false);
    expect(validator.isValid({ type: 'string' }, undefined, root)).toBe(false);
  });

  it('names fields as the form does', () => {
    const found = [
      { path: ['items', 2, 'name'], keyword: 'type', message: 'no' },
      { path: [], keyword: 'type', message: 'none' },
    ];
    expect(toFormErrors(found).map(({ property, message }) => [property, message])).toEqual([
      ['.items.2.name', 'no'],
      ['.', 'none'],
    ]);
    const { errorSchema } = validator.validateFormData({ a: 1 }, { properties: { a: { type: 'string' } } });
    expect(errorSchema).toMatchObject({ a: { __errors: [expect.any(String)] } });
  });
});
