import type { RJSFSchema, UiSchema } from '@rjsf/utils';

/** Texts that are longer than this are written on several lines. */
const ONE_LINE = 1_000;

/** How the fields of a schema are written: what may be long has room. Definitions that refer to themselves are left as they are. */
export function uiSchemaOf(schema: RJSFSchema, depth = 0): UiSchema {
  if (typeof schema !== 'object' || schema === null || depth > 6) return {};
  if (isLongText(schema)) return { 'ui:widget': 'textarea' };
  const properties = Object.entries(schema.properties ?? {}).map(([name, part]) => [
    name,
    uiSchemaOf(part as RJSFSchema, depth + 1),
  ]);
  const items =
    schema.items !== undefined && !Array.isArray(schema.items) ? uiSchemaOf(schema.items as RJSFSchema, depth + 1) : {};
  const anyOf = schema.anyOf ?? schema.oneOf;
  return {
    ...Object.fromEntries(properties.filter(([, ui]) => Object.keys(ui as object).length > 0)),
    ...(Object.keys(items).length === 0 ? {} : { items }),
    ...(anyOf === undefined
      ? {}
      : { [schema.anyOf ? 'anyOf' : 'oneOf']: anyOf.map((part) => uiSchemaOf(part as RJSFSchema, depth + 1)) }),
  };
}

const isLongText = ({ type, enum: choices, format, maxLength, const: fixed }: RJSFSchema): boolean =>
  type === 'string' &&
  choices === undefined &&
  format === undefined &&
  fixed === undefined &&
  (maxLength ?? Number.POSITIVE_INFINITY) > ONE_LINE;
