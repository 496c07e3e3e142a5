import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import type { Json } from '@toolstream/proto-events';

/** What does not fit a schema, and where: `['items', 2, 'name']`. */
export interface Misfit {
  readonly path: readonly (string | number)[];
  readonly keyword: string;
  readonly message: string;
}

const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/;
/** Said of everything around what is really wrong. */
const WRAPPERS: ReadonlySet<string> = new Set([
  'properties',
  'items',
  'prefixItems',
  'additionalProperties',
  '$ref',
  'allOf',
  'patternProperties',
]);

/**
 * Checks without generating code, which the page's security policy forbids. The service checks again and has the last word: a
 * schema that cannot be used here finds nothing wrong.
 */
export function misfits(schema: { readonly [key: string]: Json }, value: Json): Misfit[] {
  let errors: OutputUnit[];
  try {
    const draft = typeof schema.$schema === 'string' && DRAFT_7.test(schema.$schema) ? '7' : '2020-12';
    ({ errors } = new Validator(schema as Schema, draft, false).validate(value));
  } catch {
    return [];
  }
  const found = errors.filter(({ keyword }) => !WRAPPERS.has(keyword)).map(misfitOf);
  return found.filter((misfit, at) => found.findIndex((other) => sameAs(misfit, other)) === at);
}

const sameAs = (a: Misfit, b: Misfit): boolean => a.message === b.message && a.path.join('/') === b.path.join('/');

const NEEDED = 'This is needed.';

function misfitOf({ instanceLocation, keyword, error }: OutputUnit): Misfit {
  const parts = instanceLocation
    .replace(/^#\/?/, '')
    .split('/')
    .filter((part) => part !== '');
  const path = parts.map((part) => {
    const name = decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
    return /^\d+$/.test(name) ? Number(name) : name;
  });
  const missing = keyword === 'required' ? /"([^"]+)"/.exec(error)?.[1] : undefined;
  if (missing !== undefined) return { path: [...path, missing], keyword, message: NEEDED };
  if (keyword === 'minLength' && error.includes('(0 <')) return { path, keyword, message: NEEDED };
  return { path, keyword, message: error };
}

/** `items[2].name`; the whole value is `arguments`. */
export function placeOf({ path }: Pick<Misfit, 'path'>): string {
  if (path.length === 0) return 'arguments';
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`),
    '',
  );
}
