import type { Line, Piece } from '../model/lines.ts';
import styles from './Code.module.css';
import { CodeBox, MOST_LINES } from './CodeBox.tsx';

/** A text with numbered lines. */
export function Code({ label, lines }: { readonly label: string; readonly lines: readonly Line[] }) {
  return (
    <>
      <CodeBox
        label={label}
        lines={lines}
        line={(line, number) => (
          <div className={styles.line}>
            <span className={styles.number} data-line={number} />
            <CodeText line={line} />
          </div>
        )}
      />
      {lines.length > MOST_LINES && (
        <p className={styles.note}>
          Only the first {MOST_LINES.toLocaleString('en')} of {lines.length.toLocaleString('en')} lines are shown.
          Download the file for the rest.
        </p>
      )}
    </>
  );
}

function CodeText({ line }: { readonly line: Line }) {
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
