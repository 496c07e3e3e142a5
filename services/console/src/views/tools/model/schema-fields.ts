import type { Json } from '@toolstream/proto-events';

/** One field of a tool's input, as a person reads it. */
export interface SchemaField {
  /** `edits[].line`: from the whole input down. */
  readonly path: string;
  /** `string`, `list of numbers`, `"a" or "b"`. */
  readonly type: string;
  readonly required: boolean;
  /** As JSON. */
  readonly fallback?: string;
  readonly description?: string;
  /** `at least 1`, `at most 200 characters`, … */
  readonly limits: readonly string[];
}

export interface SchemaReading {
  readonly fields: readonly SchemaField[];
  /** There is more than is shown: the schema is deeper, or has more fields. The raw one has it all. */
  readonly cut: boolean;
  /** Fields that are not named may be given too. */
  readonly open: boolean;
}

type Schema = Readonly<Record<string, Json>>;

const DEEPEST = 5;
const MOST_FIELDS = 200;

/** The fields of an input, nested ones by their path, in the schema's order. Never fails: what it cannot read it leaves out. */
export function schemaFields(root: Schema): SchemaReading {
  const fields: SchemaField[] = [];
  let cut = false;

  const visit = (schema: Schema, path: string, depth: number): void => {
    const required = new Set(strings(schema.required));
    for (const [name, value] of Object.entries(asSchema(schema.properties) ?? {})) {
      const property = resolved(root, asSchema(value) ?? {});
      if (fields.length >= MOST_FIELDS) {
        cut = true;
        return;
      }
      const at = path === '' ? name : `${path}.${name}`;
      fields.push(fieldOf(root, property, at, required.has(name)));
      below(property, at, depth);
    }
  };

  const below = (schema: Schema, path: string, depth: number): void => {
    const items = asSchema(schema.items);
    for (const [inner, at] of [
      [schema, path],
      ...(items ? [[resolved(root, items), `${path}[]`] as const] : []),
      ...alternatives(schema).map((each) => [resolved(root, each), path] as const),
    ] as const) {
      if (!asSchema(inner.properties)) continue;
      if (depth >= DEEPEST) cut = true;
      else visit(inner, at, depth + 1);
    }
  };

  const top = resolved(root, root);
  visit(top, '', 0);
  for (const part of alternatives(top)) {
    const inner = resolved(root, part);
    if (asSchema(inner.properties)) visit(inner, '', 1);
  }
  return { fields: distinct(fields), cut, open: top.additionalProperties !== false };
}

function fieldOf(root: Schema, schema: Schema, path: string, required: boolean): SchemaField {
  const { description } = schema;
  return {
    path,
    type: typeOf(root, schema, 0),
    required,
    ...(Object.hasOwn(schema, 'default') ? { fallback: JSON.stringify(schema.default) } : {}),
    ...(typeof description === 'string' && description.trim() !== '' ? { description: description.trim() } : {}),
    limits: limitsOf(schema),
  };
}

/** The same path may come from several alternatives: the first one says what it is. */
function distinct(fields: readonly SchemaField[]): SchemaField[] {
  const seen = new Set<string>();
  return fields.filter(({ path }) => !seen.has(path) && seen.add(path));
}

function typeOf(root: Schema, schema: Schema, depth: number): string {
  if (Object.hasOwn(schema, 'const')) return JSON.stringify(schema.const);
  if (Array.isArray(schema.enum)) return listed(schema.enum.map((value) => JSON.stringify(value)));
  const parts = alternatives(schema);
  if (parts.length > 0 && depth < 3)
    return listed([...new Set(parts.map((part) => typeOf(root, resolved(root, part), depth + 1)))]);
  const types = typeof schema.type === 'string' ? [schema.type] : strings(schema.type);
  if (types.length === 0) return asSchema(schema.properties) ? 'object' : 'anything';
  return listed(
    types.map((type) => {
      if (type !== 'array') return type === 'string' && typeof schema.format === 'string' ? schema.format : type;
      const items = asSchema(schema.items);
      return items && depth < 3 ? `list of ${typeOf(root, resolved(root, items), depth + 1)}` : 'list';
    }),
  );
}

function listed(values: readonly string[]): string {
  const shown = values.length > 8 ? [...values.slice(0, 7), `${values.length - 7} more`] : values;
  return shown.length < 2 ? (shown[0] ?? 'anything') : `${shown.slice(0, -1).join(', ')} or ${shown.at(-1)}`;
}

const LIMITS: readonly (readonly [keyword: string, words: (value: number | string) => string])[] = [
  ['minimum', (n) => `at least ${n}`],
  ['exclusiveMinimum', (n) => `more than ${n}`],
  // What is there because numbers in JavaScript end there says nothing.
  ['maximum', (n) => (n === Number.MAX_SAFE_INTEGER ? '' : `at most ${n}`)],
  ['exclusiveMaximum', (n) => `less than ${n}`],
  ['multipleOf', (n) => `a multiple of ${n}`],
  ['minLength', (n) => `at least ${characters(n)}`],
  ['maxLength', (n) => `at most ${characters(n)}`],
  ['minItems', (n) => `at least ${n} of them`],
  ['maxItems', (n) => `at most ${n} of them`],
  ['pattern', (text) => `matches ${text}`],
];

const characters = (n: number | string): string => `${n} ${n === 1 ? 'character' : 'characters'}`;

function limitsOf(schema: Schema): string[] {
  return LIMITS.flatMap(([keyword, words]) => {
    const value = schema[keyword];
    const text = typeof value === 'number' || typeof value === 'string' ? words(value) : '';
    return text === '' ? [] : [text];
  });
}

function alternatives(schema: Schema): Schema[] {
  return ['anyOf', 'oneOf', 'allOf'].flatMap((keyword) => {
    const parts = schema[keyword];
    return Array.isArray(parts) ? parts.map(asSchema).filter((part) => part !== undefined) : [];
  });
}

/** Follows references within the schema; one that leads nowhere, or round in a circle, stays as it is. */
function resolved(root: Schema, schema: Schema): Schema {
  let current = schema;
  for (let steps = 0; steps < 16 && typeof current.$ref === 'string'; steps++) {
    const target = current.$ref.startsWith('#') ? pointed(root, current.$ref.slice(1)) : undefined;
    if (!target) return current;
    const { $ref: _ref, ...beside } = current;
    current = { ...target, ...beside };
  }
  return current;
}

function pointed(root: Schema, pointer: string): Schema | undefined {
  let at: Json | undefined = root as Json;
  for (const part of pointer.split('/').slice(1)) {
    const key = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    at = asSchema(at)?.[key];
  }
  return asSchema(at);
}

const asSchema = (value: Json | undefined): Schema | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;

const strings = (value: Json | undefined): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
