import type { ToolState } from '@toolstream/react';
import { useMemo, useState } from 'react';
import { attemptWords } from '../model/attempts.ts';
import { isCut, outputLines } from '../model/output-lines.ts';
import { OutputLines } from '../output/OutputLines.tsx';
import { OutputRest } from '../output/OutputRest.tsx';
import { WholeOutput } from '../output/WholeOutput.tsx';
import styles from './CallOutput.module.css';
import { Section } from './Section.tsx';

/** What the current attempt wrote: the newest of it live, all of it on request. Another attempt begins with nothing. */
export function CallOutput({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  const lines = useMemo(() => outputLines(tool.output), [tool.output]);
  const [whole, setWhole] = useState<number>();
  if (lines.length === 0 && tool.output_rest === undefined) return null;
  const cut = isCut(tool.output);
  const stale = attemptWords(tool, 0)?.stale ?? false;
  const title = tool.attempt > 1 || stale ? `Output of attempt ${tool.attempt}` : 'Output';
  return (
    <Section title={title} actions={stale ? <span className={styles.stale}>no longer counts</span> : undefined}>
      <div key={tool.attempt} className={styles.current} data-testid="output">
        {whole === tool.attempt ? (
          <WholeOutput id={id} index={tool.index} attempt={tool.attempt} live={tool.status === 'running'} />
        ) : (
          <OutputLines
            label={`${title} of ${tool.name}`}
            lines={lines}
            live={tool.status === 'running'}
            superseded={stale}
            {...(cut ? { onWhole: () => setWhole(tool.attempt) } : {})}
          />
        )}
      </div>
      {tool.output_rest !== undefined && <OutputRest id={id} reference={tool.output_rest} name={tool.name} />}
    </Section>
  );
}
