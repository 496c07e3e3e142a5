import type { Json } from '@toolstream/proto-events';
import { isObject } from './json-text.ts';

interface ObjectSchema {
  readonly [key: string]: Json;
}

const MOST_DEPTH = 4;

/** What a call has to say at least: every property that is needed, with its default, its only choice, or nothing in it yet. */
export function skeletonOf(schema: ObjectSchema, depth = 0): { [key: string]: Json } {
  const properties = isObject(schema.properties) ? schema.properties : {};
  const needed = Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : [];
  return Object.fromEntries(
    needed.map((name) => {
      const part = properties[name];
      return [name, isObject(part) ? emptyOf(part, depth + 1) : null];
    }),
  );
}

function emptyOf(schema: ObjectSchema, depth: number): Json {
  if (schema.default !== undefined) return schema.default;
  if (schema.const !== undefined) return schema.const;
  if (Array.isArray(schema.enum) && schema.enum.length === 1) return schema.enum[0]!;
  const [branch] = [schema.anyOf, schema.oneOf].find(Array.isArray) ?? [];
  if (isObject(branch) && depth < MOST_DEPTH) return emptyOf(branch, depth + 1);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return depth < MOST_DEPTH ? skeletonOf(schema, depth) : {};
    case 'array':
      return [];
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return typeof schema.minimum === 'number' ? schema.minimum : 0;
    case 'null':
      return null;
    default:
      return '';
  }
}
