import {
  type TextFieldProps as AriaProps,
  TextArea as AriaTextArea,
  TextField as AriaTextField,
  FieldError,
  Input,
  Label,
  Text,
} from 'react-aria-components';
import styles from './Field.module.css';

interface FieldProps extends Omit<AriaProps, 'className' | 'children' | 'style'> {
  readonly label: string;
  readonly description?: string | undefined;
  readonly errorMessage?: string | undefined;
  readonly placeholder?: string;
  readonly mono?: boolean;
}

export function TextField({ placeholder, mono = false, ...props }: FieldProps) {
  return (
    <Field {...props}>
      <Input placeholder={placeholder ?? ''} className={`${styles.input} ${mono ? styles.mono : ''}`} />
    </Field>
  );
}

export function TextArea({ placeholder, mono = false, rows = 3, ...props }: FieldProps & { readonly rows?: number }) {
  return (
    <Field {...props}>
      <AriaTextArea
        rows={rows}
        placeholder={placeholder ?? ''}
        className={`${styles.input} ${styles.area} ${mono ? styles.mono : ''}`}
      />
    </Field>
  );
}

function Field({ label, description, errorMessage, children, ...props }: FieldProps & { children: React.ReactNode }) {
  return (
    <AriaTextField {...props} isInvalid={errorMessage !== undefined} className={styles.field ?? ''}>
      <Label className={styles.label ?? ''}>{label}</Label>
      {children}
      {description !== undefined && (
        <Text slot="description" className={styles.description ?? ''}>
          {description}
        </Text>
      )}
      <FieldError className={styles.error ?? ''}>{errorMessage}</FieldError>
    </AriaTextField>
  );
}
