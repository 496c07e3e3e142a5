import { isToolEnded } from '@toolstream/proto-events';
import { type ToolState, useRunSelector } from '@toolstream/react';
import { useMemo } from 'react';
import { JsonView } from '../json/JsonView.tsx';
import { namedFiles } from '../model/references.ts';
import { NamedFiles } from './NamedFiles.tsx';
import { Section } from './Section.tsx';

/** What the call was given, and what came of it. */
export function CallValues({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  const app = useRunSelector(id, ({ run }) => run?.app ?? '');
  const { arguments: given, result, status, name } = tool;
  const files = useMemo(() => namedFiles([given, result ?? null]), [given, result]);
  return (
    <>
      {status === 'succeeded' && result !== undefined && (
        <Section title="Result">
          <JsonView id={id} label={`Result of ${name}`} value={result} />
        </Section>
      )}
      {files.length > 0 && <NamedFiles app={app} files={files} settled={isToolEnded(status)} />}
      <Section title="Arguments">
        <JsonView id={id} label={`Arguments of ${name}`} value={given} />
      </Section>
    </>
  );
}
