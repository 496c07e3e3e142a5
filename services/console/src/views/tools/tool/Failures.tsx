import { toolErrorCodes } from '@toolstream/proto-events';
import { type FiguresColumn, FiguresTable } from '../../../charts/index.ts';
import { count, counted, share } from '../../../format/index.ts';
import { Card } from '../../../ui/index.ts';
import type { ToolFigures } from '../model/tool-rows.ts';
import styles from './ToolPage.module.css';

type Failure = NonNullable<ToolFigures['failures']>[number];

/** What calls failed with, the most frequent first. */
export function Failures({ figures }: { readonly figures: ToolFigures }) {
  const { failures = [], failed } = figures;
  const named = failures.reduce((sum, { calls }) => sum + calls, 0);
  const columns: FiguresColumn<Failure>[] = [
    { id: 'code', header: 'Code', cell: ({ code }) => <code>{code}</code> },
    { id: 'calls', header: 'Calls', align: 'end', cell: ({ calls }) => count(calls) },
    { id: 'share', header: 'Of all failures', align: 'end', cell: ({ calls }) => share(calls / failed) },
    { id: 'meaning', header: 'What it means', cell: ({ code }) => meaningOf(code) },
  ];
  return (
    <Card title="Failures" flush>
      <FiguresTable label="Failures by code" rows={failures} rowKey={({ code }) => code} columns={columns} />
      {named < failed && <Rest rest={failed - named} />}
    </Card>
  );
}

const Rest = ({ rest }: { readonly rest: number }) => (
  <p className={styles.rest}>{counted(rest, 'failure')} with other codes, or none.</p>
);

const meaningOf = (code: string): string =>
  Object.hasOwn(toolErrorCodes, code)
    ? toolErrorCodes[code as keyof typeof toolErrorCodes]
    : 'A code of the tool’s own: its author knows.';
