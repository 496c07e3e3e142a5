import type { RegistryWidgetsType, WidgetProps } from '@rjsf/utils';
import { Checkbox, CheckboxGroup, FieldError, Label, Text } from 'react-aria-components';
import { fieldStyles, Select, TextArea, TextField } from '../../../ui/index.ts';
import { Box } from './Box.tsx';
import styles from './Form.module.css';
import { isFixed } from './fixed.ts';

/** The words of a field: the schema's own, or the name of the property. */
const wordsOf = ({ label, schema, required, rawErrors, options }: WidgetProps) => ({
  label: required ? `${label} (needed)` : label,
  description: (options.description as string | undefined) ?? schema.description,
  errorMessage: rawErrors === undefined || rawErrors.length === 0 ? undefined : [...new Set(rawErrors)].join(' '),
});

/** Below a field that does not say them itself. */
function Words({ description, errorMessage }: Omit<ReturnType<typeof wordsOf>, 'label'>) {
  return (
    <>
      {description !== undefined && <p className={fieldStyles.description}>{description}</p>}
      {errorMessage !== undefined && <p className={fieldStyles.error}>{errorMessage}</p>}
    </>
  );
}

function TextWidget(props: WidgetProps) {
  const { value, onChange, disabled, readonly, options, schema } = props;
  return (
    <TextField
      {...wordsOf(props)}
      value={String(value ?? '')}
      onChange={(text) => onChange(text === '' ? options.emptyValue : text)}
      isDisabled={disabled ?? false}
      isReadOnly={readonly ?? false}
      {...(schema.type === 'number' || schema.type === 'integer' ? { inputMode: 'decimal' as const } : {})}
      {...(schema.default === undefined ? {} : { placeholder: String(schema.default) })}
    />
  );
}

function TextareaWidget(props: WidgetProps) {
  const { value, onChange, disabled, readonly, required, options } = props;
  const text = String(value ?? '');
  return (
    <TextArea
      {...wordsOf(props)}
      mono
      rows={Math.min(16, Math.max(4, text.split('\n').length + 1))}
      value={text}
      // Of a text that is needed, no text at all is one too.
      onChange={(typed) => onChange(typed === '' && !required ? options.emptyValue : typed)}
      isDisabled={disabled ?? false}
      isReadOnly={readonly ?? false}
    />
  );
}

const UNSET = 'unset';

function SelectWidget(props: WidgetProps) {
  const { value, onChange, required, options } = props;
  const { description, errorMessage, label } = wordsOf(props);
  const choices = options.enumOptions ?? [];
  const at = choices.findIndex((choice) => JSON.stringify(choice.value) === JSON.stringify(value));
  const shown = choices.map((choice, index) => ({ id: String(index), label: choice.label }));
  return (
    <div className={fieldStyles.field}>
      <Select
        label={label}
        value={at === -1 ? UNSET : String(at)}
        options={required && at !== -1 ? shown : [{ id: UNSET, label: 'Not set' }, ...shown]}
        onChange={(id) => onChange(id === UNSET ? options.emptyValue : choices[Number(id)]?.value)}
        isDisabled={isFixed(props)}
      />
      <Words description={description} errorMessage={errorMessage} />
    </div>
  );
}

function CheckboxWidget(props: WidgetProps) {
  const { value, onChange } = props;
  const { description, errorMessage, label } = wordsOf(props);
  return (
    <div className={fieldStyles.field}>
      <Checkbox
        className={styles.checkbox ?? ''}
        isSelected={value === true}
        onChange={onChange}
        isDisabled={isFixed(props)}
      >
        <Box />
        {label}
      </Checkbox>
      <Words description={description} errorMessage={errorMessage} />
    </div>
  );
}

function CheckboxesWidget(props: WidgetProps) {
  const { value, onChange, options } = props;
  const { description, errorMessage, label } = wordsOf(props);
  const choices = options.enumOptions ?? [];
  const chosen = Array.isArray(value) ? value : [];
  return (
    <CheckboxGroup
      className={fieldStyles.field ?? ''}
      value={choices.flatMap((choice, at) => (chosen.includes(choice.value) ? [String(at)] : []))}
      onChange={(ids) => onChange(ids.map((id) => choices[Number(id)]?.value))}
      isDisabled={isFixed(props)}
      isInvalid={errorMessage !== undefined}
    >
      <Label className={fieldStyles.label ?? ''}>{label}</Label>
      {choices.map((choice, at) => (
        <Checkbox key={choice.label} value={String(at)} className={styles.checkbox ?? ''}>
          <Box />
          {choice.label}
        </Checkbox>
      ))}
      {description !== undefined && (
        <Text slot="description" className={fieldStyles.description ?? ''}>
          {description}
        </Text>
      )}
      <FieldError className={fieldStyles.error ?? ''}>{errorMessage}</FieldError>
    </CheckboxGroup>
  );
}

/** Every widget that a JSON Schema leads to; what a schema's `format` would add is text here, as the value is in JSON. */
export const widgets: RegistryWidgetsType = {
  TextWidget,
  TextareaWidget,
  SelectWidget,
  RadioWidget: SelectWidget,
  CheckboxWidget,
  CheckboxesWidget,
  UpDownWidget: TextWidget,
  RangeWidget: TextWidget,
  PasswordWidget: TextWidget,
  EmailWidget: TextWidget,
  URLWidget: TextWidget,
  DateWidget: TextWidget,
  DateTimeWidget: TextWidget,
  TimeWidget: TextWidget,
  ColorWidget: TextWidget,
  FileWidget: TextareaWidget,
};
