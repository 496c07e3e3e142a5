import { counted } from '../../../format/index.ts';
import type { Comparison, DiffRow } from '../model/diff.ts';
import styles from './Code.module.css';
import { CodeBox, MOST_LINES } from './CodeBox.tsx';

const MARKS = { same: ' ', added: '+', removed: '−' } as const;
const WORDS = { same: '', added: 'added: ', removed: 'removed: ' } as const;

/** A comparison, line by line, with the numbers of both sides. What was added and removed is said, not only coloured. */
export function Diff({ label, comparison }: { readonly label: string; readonly comparison: Comparison }) {
  const { rows } = comparison;
  if (rows.length === 0) return <p className={styles.note}>The contents are the same.</p>;
  return (
    <>
      <CodeBox label={label} lines={rows} line={(row) => <Row row={row} />} />
      {rows.length > MOST_LINES && (
        <p className={styles.note}>{counted(rows.length - MOST_LINES, 'more line')} are not shown.</p>
      )}
    </>
  );
}

function Row({ row }: { readonly row: DiffRow }) {
  if (row.kind === 'gap') return <div className={styles.gap}>{row.text} without a change</div>;
  return (
    <div className={`${styles.line} ${row.kind === 'same' ? '' : styles[row.kind]}`} data-kind={row.kind}>
      <span className={styles.number} data-line={row.before ?? ''} />
      <span className={styles.number} data-line={row.after ?? ''} />
      <span className={styles.mark} aria-hidden>
        {MARKS[row.kind]}
      </span>
      <code className={styles.text}>
        {row.kind !== 'same' && <span className="visually-hidden">{WORDS[row.kind]}</span>}
        {row.text}
      </code>
    </div>
  );
}
