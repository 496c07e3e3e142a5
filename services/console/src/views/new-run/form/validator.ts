import { type Schema, Validator } from '@cfworker/json-schema';
import { type RJSFSchema, type RJSFValidationError, toErrorSchema, type ValidatorType } from '@rjsf/utils';
import type { Json } from '@toolstream/proto-events';
import { type Misfit, misfits } from '../model/schema-check.ts';

/** As the form names fields: `.items.2.name`. */
export const toFormErrors = (found: readonly Misfit[]): RJSFValidationError[] =>
  found.map(({ path, keyword, message }) => ({
    name: keyword,
    property: path.length === 0 ? '.' : `.${path.join('.')}`,
    message,
    stack: message,
  }));

/**
 * What the form asks of a validator, without generating code, which the page's security policy forbids. It decides which branch
 * of a `oneOf` or `anyOf` a value belongs to.
 */
export const validator: ValidatorType = {
  validateFormData(formData, schema) {
    const errors = toFormErrors(misfits(schema as { [key: string]: Json }, formData as Json));
    return { errors, errorSchema: toErrorSchema(errors) };
  },
  isValid(schema, formData, rootSchema) {
    try {
      return new Validator(withDefinitions(schema, rootSchema) as Schema, '2020-12').validate(formData ?? null).valid;
    } catch {
      return false;
    }
  },
  rawValidation(schema, formData) {
    return { errors: misfits(schema as { [key: string]: Json }, formData as Json) as never[] };
  },
};

/** References in a branch lead to the definitions of the whole schema. */
function withDefinitions(schema: RJSFSchema, root: RJSFSchema): RJSFSchema {
  const { $defs, definitions } = root ?? {};
  if (typeof schema !== 'object' || ($defs === undefined && definitions === undefined)) return schema;
  return { ...($defs ? { $defs } : {}), ...(definitions ? { definitions } : {}), ...schema };
}
