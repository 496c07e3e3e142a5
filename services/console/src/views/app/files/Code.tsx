import type { Line, Piece } from '../model/highlight.ts';
import styles from './Code.module.css';

/** Lines that are laid out together. */
const CHUNK = 100;
/** Beyond this a page is no place to read a file. */
export const MOST_LINES = 10_000;
/** From here on, lines out of sight are not laid out. */
const LONG = 1_000;

export const codeClass = (lines: number): string => `${styles.code} ${lines > LONG ? styles.long : ''}`;

export interface CodeProps {
  /** What it is, for screen readers: “Content of src/App.tsx”. */
  readonly label: string;
  readonly lines: readonly Line[];
}

/** A text with numbered lines, to be read. It scrolls by itself, also by keyboard. */
export function Code({ label, lines }: CodeProps) {
  const shown = lines.length > MOST_LINES ? lines.slice(0, MOST_LINES) : lines;
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
              {chunk.lines.map((line, at) => {
                const number = chunk.from + at + 1;
                return (
                  <div key={number} className={styles.line}>
                    <span className={styles.number} data-line={number} />
                    <CodeText line={line} />
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      </section>
      {shown !== lines && (
        <p className={styles.note}>
          Only the first {MOST_LINES.toLocaleString('en')} of {lines.length.toLocaleString('en')} lines are shown.
          Download the file for the rest.
        </p>
      )}
    </>
  );
}

export function CodeText({ line }: { readonly line: Line }) {
  return (
    <code className={styles.text}>
      {line.map((piece, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of a line never change places.
        <span key={at} className={classOf(piece)}>
          {piece.text}
        </span>
      ))}
    </code>
  );
}

const classOf = ({ className }: Piece): string | undefined =>
  className === undefined ? undefined : styles[`hl-${className}`];

export function chunks<T>(lines: readonly T[]): { readonly from: number; readonly lines: readonly T[] }[] {
  return Array.from({ length: Math.ceil(lines.length / CHUNK) }, (_, at) => ({
    from: at * CHUNK,
    lines: lines.slice(at * CHUNK, (at + 1) * CHUNK),
  }));
}
