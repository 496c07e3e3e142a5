import { counted } from '../../../format/index.ts';
import type { Comparison, DiffRow } from '../model/diff.ts';
import styles from './Code.module.css';
import { chunks, codeClass, MOST_LINES } from './Code.tsx';

const MARKS = { same: ' ', added: '+', removed: '−' } as const;
const WORDS = { same: '', added: 'added: ', removed: 'removed: ' } as const;

/** A comparison, line by line, with the numbers of both sides. What was added and removed is said, not only coloured. */
export function Diff({ label, comparison }: { readonly label: string; readonly comparison: Comparison }) {
  const { rows } = comparison;
  if (rows.length === 0) return <p className={styles.note}>The contents are the same.</p>;
  const shown = rows.slice(0, MOST_LINES);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard. */}
      <section aria-label={label} tabIndex={0} className={styles.scroll}>
        <div className={codeClass(shown.length)}>
          {chunks(shown).map((chunk) => (
            <div
              key={chunk.from}
              className={styles.chunk}
              style={{ containIntrinsicHeight: `${chunk.lines.length * 1.5}em` }}
            >
              {chunk.lines.map((row, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the rows of a comparison never change places.
                <Row key={at} row={row} />
              ))}
            </div>
          ))}
        </div>
      </section>
      {shown.length < rows.length && (
        <p className={styles.note}>{counted(rows.length - shown.length, 'more line')} are not shown.</p>
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
