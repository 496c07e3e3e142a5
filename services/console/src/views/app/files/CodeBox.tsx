import { Fragment, type ReactNode } from 'react';
import { ScrollRegion } from '../../../ui/index.ts';
import styles from './Code.module.css';

/** Beyond this a page is no place to read a file. */
export const MOST_LINES = 10_000;
/** Lines that are laid out together. */
const CHUNK = 100;
/** From here on, lines out of sight are not laid out. */
const LONG = 1_000;

export interface CodeBoxProps<T> {
  /** What it is, for screen readers: “Content of src/App.tsx”. */
  readonly label: string;
  /** Those beyond `MOST_LINES` are left out; the caller says so. */
  readonly lines: readonly T[];
  /** How a line is drawn, and its number among them, from 1. */
  readonly line: (line: T, number: number) => ReactNode;
}

/** Lines of code, which never change places, to be read. They scroll by themselves, also by keyboard. */
export function CodeBox<T>({ label, lines, line }: CodeBoxProps<T>) {
  const shown = lines.slice(0, MOST_LINES);
  return (
    <ScrollRegion label={label} className={styles.scroll}>
      <div className={`${styles.code} ${shown.length > LONG ? styles.long : ''}`}>
        {chunksOf(shown).map(({ from, lines: some }) => (
          <div key={from} className={styles.chunk} style={{ containIntrinsicHeight: `${some.length * 1.5}em` }}>
            {some.map((one, at) => {
              const number = from + at + 1;
              return <Fragment key={number}>{line(one, number)}</Fragment>;
            })}
          </div>
        ))}
      </div>
    </ScrollRegion>
  );
}

function chunksOf<T>(lines: readonly T[]): { readonly from: number; readonly lines: readonly T[] }[] {
  return Array.from({ length: Math.ceil(lines.length / CHUNK) }, (_, at) => ({
    from: at * CHUNK,
    lines: lines.slice(at * CHUNK, (at + 1) * CHUNK),
  }));
}
