import type { Json } from '@toolstream/proto-events';

type Schema = { [key: string]: Json };

const isSchema = (value: Json | undefined): value is Schema =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const schemasOf = (value: Json | undefined): Schema[] => (Array.isArray(value) ? value.filter(isSchema) : []);

/** Says nothing about values. */
const NOISE = new Set(['$schema', '$id', 'id', '$comment', '$anchor', '~standard']);
/** Hold schemas by name: their keys are nobody's keywords. */
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas']);
const LISTS = new Set(['anyOf', 'allOf']);
const SINGLE = new Set(['items', 'additionalProperties', 'not', 'if', 'then', 'else', 'contains', 'propertyNames']);

/**
 * A tool's schema in the words that every model API takes: JSON Schema 2020-12, an object at its top with `properties`, no
 * union there, an `items` in every array. Where a word must go the schema gets wider, never narrower: what a model may
 * send is checked against the real one all the same.
 */
export function commonSchema(input: Schema): Schema {
  const { anyOf, allOf, $ref, ...top } = convert(input);
  const merged = [...referred($ref, top.$defs), ...schemasOf(allOf), ...alternatives(schemasOf(anyOf))].reduce(
    both,
    top,
  );
  const { type: _, properties, ...rest } = merged;
  return { type: 'object', properties: isSchema(properties) ? properties : {}, ...rest };
}

/** What the top refers to stands in its place. */
function referred(ref: Json | undefined, defs: Json | undefined): Schema[] {
  const name = typeof ref === 'string' && ref.startsWith('#/$defs/') ? ref.slice('#/$defs/'.length) : undefined;
  const found = name !== undefined && isSchema(defs) ? defs[name] : undefined;
  return isSchema(found) ? [found] : [];
}

function convert(schema: Schema): Schema {
  const made: Schema = {};
  for (const [key, value] of Object.entries(schema)) {
    if (NOISE.has(key)) continue;
    if (key === 'definitions' || key === '$defs')
      made.$defs = { ...(isSchema(made.$defs) ? made.$defs : {}), ...convertMap(value) };
    else if (key === 'oneOf') made.anyOf = convertList(value);
    else if (key === 'const') made.enum = [value];
    else if (key === '$ref' && typeof value === 'string') made.$ref = value.replace(/^#\/definitions\//, '#/$defs/');
    else if (MAPS.has(key)) made[key] = convertMap(value);
    else if (LISTS.has(key)) made[key] = convertList(value);
    else if (key === 'propertyNames' && onlyStrings(value)) continue;
    else if (isSchema(value) && SINGLE.has(key)) made[key] = convert(value);
    else if (!isUnbounded(key, value)) made[key] = value;
  }
  numericBounds(made);
  if (made.type === 'array' || made.prefixItems !== undefined) everyItem(made);
  return made;
}

const convertMap = (value: Json | undefined): Schema =>
  isSchema(value)
    ? Object.fromEntries(Object.entries(value).map(([name, each]) => [name, isSchema(each) ? convert(each) : each]))
    : {};
const convertList = (value: Json): Json =>
  Array.isArray(value) ? value.map((e) => (isSchema(e) ? convert(e) : e)) : value;

/** All keys are strings. */
const onlyStrings = (value: Json): boolean =>
  isSchema(value) && value.type === 'string' && Object.keys(value).length === 1;

/** "A safe integer" is every integer that JSON can be trusted with. */
const isUnbounded = (key: string, value: Json): boolean =>
  (key === 'minimum' && value === Number.MIN_SAFE_INTEGER) || (key === 'maximum' && value === Number.MAX_SAFE_INTEGER);

/** Draft 4 said whether a bound is exclusive; since then the bound itself does. */
function numericBounds(schema: Schema): void {
  for (const [exclusive, bound] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    if (typeof schema[exclusive] !== 'boolean') continue;
    const value = schema[bound];
    if (schema[exclusive] && value !== undefined) {
      schema[exclusive] = value;
      delete schema[bound];
    } else {
      delete schema[exclusive];
    }
  }
}

/** A tuple, in either spelling, becomes a list of what any of its places takes; the number of places stays. */
function everyItem(schema: Schema): void {
  const { prefixItems, items, additionalItems } = schema;
  delete schema.prefixItems;
  delete schema.additionalItems;
  if (!Array.isArray(prefixItems) && !Array.isArray(items)) {
    schema.items = isSchema(items) ? items : {};
    return;
  }
  const places = schemasOf(Array.isArray(prefixItems) ? prefixItems : items).map(convert);
  // 2020-12 has the rest in `items`, the drafts before in `additionalItems`; said to be nothing, the list ends there.
  const rest = Array.isArray(prefixItems) ? items : additionalItems;
  if (rest === false) schema.maxItems ??= places.length;
  else places.push(isSchema(rest) ? convert(rest) : {});
  const different = [...new Map(places.map((each) => [JSON.stringify(each), each])).values()];
  schema.items = different.length === 1 ? (different[0] as Schema) : { anyOf: different };
}

/** One of several objects: any of their properties, and only those required that all require. */
function alternatives(schemas: Schema[]): Schema[] {
  const [first, ...others] = schemas;
  if (!first) return [];
  return [others.reduce(either, first)];
}

const requiredBy = (schema: Schema): string[] =>
  Array.isArray(schema.required) ? schema.required.filter((name) => typeof name === 'string') : [];
const propertiesOf = (schema: Schema): Schema => (isSchema(schema.properties) ? schema.properties : {});

function either(a: Schema, b: Schema): Schema {
  const properties: Schema = { ...propertiesOf(a) };
  for (const [name, theirs] of Object.entries(propertiesOf(b))) {
    const ours = properties[name];
    properties[name] = ours === undefined ? theirs : union(ours, theirs);
  }
  return { properties, required: requiredBy(a).filter((name) => requiredBy(b).includes(name)) };
}

function union(a: Json, b: Json): Json {
  if (JSON.stringify(a) === JSON.stringify(b)) return a;
  if (isSchema(a) && isSchema(b) && Array.isArray(a.enum) && Array.isArray(b.enum) && a.type === b.type) {
    return { ...a, enum: [...new Set([...a.enum, ...b.enum])] };
  }
  return { anyOf: [...(isSchema(a) && Array.isArray(a.anyOf) ? a.anyOf : [a]), b] };
}

function both(a: Schema, b: Schema): Schema {
  const required = [...new Set([...requiredBy(a), ...requiredBy(b)])];
  const { properties, required: _, type: __, ...rest } = b;
  return {
    ...rest,
    ...a,
    properties: { ...(isSchema(properties) ? properties : {}), ...propertiesOf(a) },
    ...(required.length === 0 ? {} : { required }),
  };
}
