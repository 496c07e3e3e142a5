// The package's own door also opens its test kit, which needs a validator that generates code.
import Form from '@rjsf/core/lib/components/Form.js';
import { type RJSFSchema, toErrorSchema } from '@rjsf/utils';
import type { Json } from '@toolstream/proto-events';
import { useMemo } from 'react';
import { misfits } from '../model/schema-check.ts';
import { templates } from './templates.tsx';
import { uiSchemaOf } from './ui-schema.ts';
import { toFormErrors, validator } from './validator.ts';
import { widgets } from './widgets.tsx';

export interface SchemaFormProps {
  readonly schema: { readonly [key: string]: Json };
  readonly value: { readonly [key: string]: Json };
  readonly onChange: (value: Json) => void;
  /** Tells the fields of several forms on a page apart. */
  readonly idPrefix: string;
  /** What does not fit is said at its field. */
  readonly showErrors: boolean;
}

/** A tool's arguments as fields, made from its schema. The value is kept by the caller: nothing is submitted from here. */
export function SchemaForm({ schema, value, onChange, idPrefix, showErrors }: SchemaFormProps) {
  // The form takes the draft that a schema names for one of its own; all that it shows is the same in every draft.
  const shape = useMemo(() => {
    const { $schema: _, title: _title, description: _description, ...rest } = schema;
    return rest as RJSFSchema;
  }, [schema]);
  const uiSchema = useMemo(() => uiSchemaOf(shape), [shape]);
  const errors = useMemo(
    () => (showErrors ? toErrorSchema(toFormErrors(misfits(schema, value))) : {}),
    [schema, value, showErrors],
  );
  return (
    <Form
      tagName="div"
      schema={shape}
      uiSchema={uiSchema}
      formData={value}
      idPrefix={idPrefix}
      validator={validator}
      widgets={widgets}
      templates={templates}
      extraErrors={errors}
      noValidate
      noHtml5Validate
      showErrorList={false}
      onChange={({ formData }) => onChange((formData ?? {}) as Json)}
    >
      {/* No button of its own: the page hands over all calls at once. */}
      <span hidden />
    </Form>
  );
}
