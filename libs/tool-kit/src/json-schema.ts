import type { Json } from '@toolstream/proto-events';
import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';

export interface JsonSchema {
  readonly [key: string]: Json;
}

/** Why a value does not fit, in one sentence; `undefined` when it does. */
export type SchemaCheck = (value: Json) => string | undefined;

/** Problems named in a message; more would not help whoever reads it. */
const MOST_PROBLEMS = 3;
const DRAFT_7 = /^https?:\/\/json-schema\.org\/draft-0[67]\/schema#?$/;

/**
 * A check of values against a JSON Schema: draft 2020-12, or the draft 07 that older generators name. Throws if the schema
 * itself cannot be used. `what` stands for the value in messages. An instance per schema: two may have the same `$id`.
 */
export function schemaCheck(schema: JsonSchema, what: string): SchemaCheck {
  const Dialect = typeof schema.$schema === 'string' && DRAFT_7.test(schema.$schema) ? Ajv : Ajv2020;
  const ajv = new Dialect({ strict: false, allErrors: true, logger: false });
  formats.default(ajv);
  const check: ValidateFunction = ajv.compile(schema);
  return (value) => {
    if (check(value)) return undefined;
    const errors = check.errors ?? [];
    const named = errors.slice(0, MOST_PROBLEMS).map(({ instancePath, message, params }) => {
      const extra = 'additionalProperty' in params ? ` (${String(params.additionalProperty)})` : '';
      return `${what}${instancePath} ${message ?? 'does not fit'}${extra}`;
    });
    const more = errors.length > named.length ? `; and ${errors.length - named.length} more` : '';
    return `${named.join('; ')}${more}`;
  };
}
