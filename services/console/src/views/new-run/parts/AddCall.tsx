import type { ToolListing } from '@toolstream/client';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { Button, Card } from '../../../ui/index.ts';
import { jsonText } from '../model/draft.ts';
import { skeletonOf } from '../model/skeleton.ts';
import styles from './NewRun.module.css';
import { SuggestField } from './SuggestField.tsx';

export interface AddCallProps {
  readonly tools: readonly ToolListing[];
  /** The name that the field begins with. */
  readonly offered: string | undefined;
  readonly onAdd: (call: { readonly name: string; readonly text: string }) => void;
}

/** Adds a call of a tool, with what its schema needs. */
export function AddCall({ tools, offered = '', onAdd }: AddCallProps) {
  const [name, setName] = useState(offered);
  const [missing, setMissing] = useState(false);
  const add = () => {
    const wanted = name.trim();
    setMissing(wanted === '');
    if (wanted === '') return;
    const tool = tools.find((listed) => listed.name === wanted);
    onAdd({ name: wanted, text: jsonText(tool ? skeletonOf(tool.input_schema) : {}) });
    setName('');
  };
  return (
    <Card title="Or pick a tool">
      <form
        className={styles.stack}
        onSubmit={(event) => {
          event.preventDefault();
          add();
        }}
      >
        <SuggestField
          label="Tool"
          value={name}
          onChange={setName}
          suggestions={tools.map((tool) => ({ id: tool.name, note: firstSentence(tool.description) }))}
          errorMessage={missing ? 'Pick a tool, or write its name.' : undefined}
        />
        <div>
          <Button icon={<Plus />} onPress={add}>
            Add a call
          </Button>
        </div>
      </form>
    </Card>
  );
}

const firstSentence = (text: string): string => /^.*?\.(?=\s|$)/s.exec(text)?.[0] ?? text;
