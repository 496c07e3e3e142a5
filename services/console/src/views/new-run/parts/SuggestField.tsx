import { ChevronDown } from 'lucide-react';
import { Button, ComboBox, FieldError, Input, Label, ListBox, ListBoxItem, Popover, Text } from 'react-aria-components';
import { fieldStyles } from '../../../ui/index.ts';
import styles from './SuggestField.module.css';

export interface Suggestion {
  readonly id: string;
  /** A few words beside it. */
  readonly note?: string;
}

export interface SuggestFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly suggestions: readonly Suggestion[];
  readonly description?: string;
  readonly errorMessage?: string | undefined;
}

/** A text field that knows what others have written there, and takes anything else as well. */
export function SuggestField({ label, value, onChange, suggestions, description, errorMessage }: SuggestFieldProps) {
  return (
    <ComboBox
      className={fieldStyles.field ?? ''}
      allowsCustomValue
      inputValue={value}
      onInputChange={onChange}
      onSelectionChange={(key) => key !== null && onChange(String(key))}
      defaultItems={suggestions}
      isInvalid={errorMessage !== undefined}
    >
      <Label className={fieldStyles.label ?? ''}>{label}</Label>
      <div className={styles.box}>
        <Input className={`${fieldStyles.input} ${styles.input}`} spellCheck={false} autoComplete="off" />
        <Button className={styles.button ?? ''}>
          <ChevronDown aria-hidden />
        </Button>
      </div>
      {description !== undefined && (
        <Text slot="description" className={fieldStyles.description ?? ''}>
          {description}
        </Text>
      )}
      <FieldError className={fieldStyles.error ?? ''}>{errorMessage}</FieldError>
      <Popover className={`${fieldStyles.popover} ${styles.popover}`}>
        <ListBox<Suggestion> className={fieldStyles.options ?? ''}>
          {({ id, note }) => (
            <ListBoxItem id={id} textValue={id} className={`${fieldStyles.option} ${styles.option}`}>
              <Text slot="label">{id}</Text>
              {note !== undefined && (
                <Text slot="description" className={fieldStyles.description ?? ''}>
                  {note}
                </Text>
              )}
            </ListBoxItem>
          )}
        </ListBox>
      </Popover>
    </ComboBox>
  );
}
