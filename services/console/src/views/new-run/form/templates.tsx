import type {
  ArrayFieldItemTemplateProps,
  ArrayFieldTemplateProps,
  FieldTemplateProps,
  IconButtonProps,
  MultiSchemaFieldTemplateProps,
  ObjectFieldTemplateProps,
  WrapIfAdditionalTemplateProps,
} from '@rjsf/utils';
import { ArrowDown, ArrowUp, Copy, Plus, X } from 'lucide-react';
import type { ReactNode } from 'react';
import { Button, fieldStyles, IconButton, TextField } from '../../../ui/index.ts';
import styles from './Form.module.css';
import { isFixed } from './fixed.ts';

/** Widgets say their own label, description and errors; what has parts is a group with a legend. */
function FieldTemplate(props: FieldTemplateProps) {
  const { hidden, children, schema, rawErrors = [], registry } = props;
  const { WrapIfAdditionalTemplate: Wrap } = registry.templates;
  if (hidden) return <div hidden>{children}</div>;
  const ofParts =
    schema.type === 'object' || schema.type === 'array' || schema.anyOf !== undefined || schema.oneOf !== undefined;
  return (
    <Wrap {...props}>
      {children}
      {ofParts && rawErrors.length > 0 && <p className={fieldStyles.error}>{[...new Set(rawErrors)].join(' ')}</p>}
    </Wrap>
  );
}

function Group({
  title,
  description,
  children,
}: {
  title: string | undefined;
  description: ReactNode;
  children: ReactNode;
}) {
  return (
    <fieldset className={styles.group}>
      {title !== undefined && title !== '' && <legend className={styles.legend}>{title}</legend>}
      {description !== undefined && description !== '' && <p className={fieldStyles.description}>{description}</p>}
      {children}
    </fieldset>
  );
}

function ObjectFieldTemplate(props: ObjectFieldTemplateProps) {
  const { title, description, properties, fieldPathId, schema, formData, onAddProperty } = props;
  const isRoot = fieldPathId.path.length === 0;
  const mayAdd = schema.additionalProperties !== undefined && schema.additionalProperties !== false;
  const content = (
    <>
      {properties.map((property) => property.content)}
      {properties.length === 0 && !mayAdd && <p className={fieldStyles.description}>There is nothing to fill in.</p>}
      {mayAdd && Object.keys(formData ?? {}).length < (schema.maxProperties ?? Number.POSITIVE_INFINITY) && (
        <div>
          <Button size="s" icon={<Plus />} onPress={() => onAddProperty()} isDisabled={isFixed(props)}>
            Add a property
          </Button>
        </div>
      )}
    </>
  );
  // The card around the form has said which tool it is.
  return isRoot ? (
    <div className={styles.fields}>{content}</div>
  ) : (
    <Group title={title} description={description}>
      {content}
    </Group>
  );
}

function ArrayFieldTemplate(props: ArrayFieldTemplateProps) {
  const { title, schema, items, canAdd, onAddClick } = props;
  return (
    <Group title={title} description={schema.description}>
      {items}
      {canAdd && (
        <div>
          <Button size="s" icon={<Plus />} onPress={() => onAddClick()} isDisabled={isFixed(props)}>
            Add an item
          </Button>
        </div>
      )}
    </Group>
  );
}

function ArrayFieldItemTemplate({ children, index, buttonsProps, hasToolbar }: ArrayFieldItemTemplateProps) {
  const { hasMoveUp, hasMoveDown, hasRemove, onMoveUpItem, onMoveDownItem, onRemoveItem } = buttonsProps;
  const number = index + 1;
  return (
    <div className={styles.item}>
      <div className={styles.itemContent}>{children}</div>
      {hasToolbar && (
        <div className={styles.itemButtons}>
          {hasMoveUp && (
            <IconButton size="s" label={`Move item ${number} up`} icon={<ArrowUp />} onPress={() => onMoveUpItem()} />
          )}
          {hasMoveDown && (
            <IconButton
              size="s"
              label={`Move item ${number} down`}
              icon={<ArrowDown />}
              onPress={() => onMoveDownItem()}
            />
          )}
          {hasRemove && (
            <IconButton size="s" label={`Remove item ${number}`} icon={<X />} onPress={() => onRemoveItem()} />
          )}
        </div>
      )}
    </div>
  );
}

/** Which of several shapes a value has. */
function MultiSchemaFieldTemplate({ selector, optionSchemaField }: MultiSchemaFieldTemplateProps) {
  return (
    <div className={styles.group}>
      {selector}
      {optionSchemaField}
    </div>
  );
}

/** A property that the schema does not name: its name is given here. */
function WrapIfAdditionalTemplate(props: WrapIfAdditionalTemplateProps) {
  const { schema, children, label, onKeyRenameBlur, onRemoveProperty } = props;
  if (!('__additional_property' in schema)) return <>{children}</>;
  return (
    <div className={styles.item}>
      <TextField
        label="Name"
        defaultValue={label}
        onBlur={(event) => onKeyRenameBlur(event as never)}
        isDisabled={isFixed(props)}
      />
      <div className={styles.itemContent}>{children}</div>
      <IconButton size="s" label={`Remove ${label}`} icon={<X />} onPress={() => onRemoveProperty()} />
    </div>
  );
}

interface NamedButtonProps extends IconButtonProps {
  readonly label: string;
  readonly glyph: ReactNode;
}

function NamedButton({ label, glyph, onClick, disabled }: NamedButtonProps) {
  const press = (event: unknown) => onClick?.(event as never);
  return <IconButton size="s" label={label} icon={glyph} isDisabled={disabled ?? false} onPress={press} />;
}

/** For templates of the library that are not replaced. */
const ButtonTemplates = {
  SubmitButton: () => null,
  AddButton: (props: IconButtonProps) => <NamedButton {...props} label="Add" glyph={<Plus />} />,
  CopyButton: (props: IconButtonProps) => <NamedButton {...props} label="Copy" glyph={<Copy />} />,
  MoveUpButton: (props: IconButtonProps) => <NamedButton {...props} label="Move up" glyph={<ArrowUp />} />,
  MoveDownButton: (props: IconButtonProps) => <NamedButton {...props} label="Move down" glyph={<ArrowDown />} />,
  RemoveButton: (props: IconButtonProps) => <NamedButton {...props} label="Remove" glyph={<X />} />,
  ClearButton: (props: IconButtonProps) => <NamedButton {...props} label="Clear" glyph={<X />} />,
};

export const templates = {
  FieldTemplate,
  ObjectFieldTemplate,
  ArrayFieldTemplate,
  ArrayFieldItemTemplate,
  MultiSchemaFieldTemplate,
  WrapIfAdditionalTemplate,
  ErrorListTemplate: () => null,
  ButtonTemplates,
};
