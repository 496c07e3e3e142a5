import type { ToolListing } from '@toolstream/client';
import { Braces } from 'lucide-react';
import { Component, lazy, type ReactNode, Suspense, useState } from 'react';
import { Button, fieldStyles, Tabs, TextArea } from '../../../ui/index.ts';
import { argumentsJson, type DraftCall, jsonText } from '../model/draft.ts';
import { isObject, parseJson } from '../model/json-text.ts';
import type { Problem } from '../model/problems.ts';
import styles from './NewRun.module.css';

const SchemaForm = lazy(async () => ({ default: (await import('../form/SchemaForm.tsx')).SchemaForm }));

export interface ArgumentsProps {
  readonly call: DraftCall;
  readonly tool: ToolListing | undefined;
  readonly problems: readonly Problem[];
  readonly onText: (text: string) => void;
}

/** A call's arguments: fields made from the tool's schema, or the JSON itself. The text is what counts; both write it. */
export function Arguments({ call, tool, problems, onText }: ArgumentsProps) {
  const [tab, setTab] = useState('form');
  const parsed = parseJson(argumentsJson(call.text));
  const value = parsed.ok && isObject(parsed.value) ? parsed.value : undefined;
  const canFill = tool !== undefined && value !== undefined;
  return (
    <Tabs
      label={`Arguments of ${call.id}`}
      selected={tab}
      onSelect={setTab}
      items={[
        {
          id: 'form',
          label: 'Form',
          content: canFill ? (
            <FormBoundary key={tool.name}>
              <Suspense fallback={<p className={styles.quiet}>Making the form…</p>}>
                <SchemaForm
                  schema={tool.input_schema}
                  value={value}
                  idPrefix={call.key}
                  showErrors={problems.length > 0}
                  onChange={(next) => onText(jsonText(next))}
                />
              </Suspense>
              <Loose problems={problems} />
            </FormBoundary>
          ) : (
            <p className={styles.quiet}>{whyNoForm(tool, parsed.ok)}</p>
          ),
        },
        {
          id: 'json',
          label: 'JSON',
          content: (
            <div className={styles.stack}>
              <TextArea
                label="Arguments as JSON"
                mono
                rows={Math.min(24, Math.max(6, call.text.split('\n').length + 1))}
                value={call.text}
                onChange={onText}
                errorMessage={problems.length === 0 ? undefined : problems.map(({ message }) => message).join(' ')}
              />
              <div>
                <Button
                  size="s"
                  icon={<Braces />}
                  isDisabled={!parsed.ok}
                  onPress={() => parsed.ok && onText(jsonText(parsed.value))}
                >
                  Indent
                </Button>
              </div>
            </div>
          ),
        },
      ]}
    />
  );
}

/** What concerns the arguments as a whole, or came from the service: no field of the form says it. */
function Loose({ problems }: { readonly problems: readonly Problem[] }) {
  const loose = problems.filter(({ path }) => path === undefined || path.length === 0);
  return loose.map(({ message }) => (
    <p key={message} className={fieldStyles.error}>
      {message}
    </p>
  ));
}

function whyNoForm(tool: ToolListing | undefined, isJson: boolean): string {
  if (tool === undefined)
    return 'No executor serves this tool now, so its fields are not known. Write the arguments as JSON.';
  return isJson
    ? 'The arguments are no object, so there are no fields to fill in. Change them as JSON.'
    : 'The arguments are no JSON (yet). Put them right as JSON, then the form shows them.';
}

/** Schemas come from anywhere: one that the form cannot draw leaves the page, and the JSON, as they are. */
class FormBoundary extends Component<{ readonly children: ReactNode }, { readonly failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError() {
    return { failed: true };
  }

  override render() {
    if (!this.state.failed) return this.props.children;
    return <p className={styles.quiet}>No form can be made from this tool’s schema. Write the arguments as JSON.</p>;
  }
}
