import type { ReactNode } from 'react';
import styles from './Figure.module.css';

export interface FigureProps {
  readonly term: string;
  readonly value: ReactNode;
  /** What it is made of, or of how many. */
  readonly note?: ReactNode;
}

/** Figures that stand for a page: a word, a large number, a note. */
export function Figures({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <dl className={styles.figures} aria-label={label}>
      {children}
    </dl>
  );
}

export function Figure({ term, value, note }: FigureProps) {
  return (
    <div className={styles.figure}>
      <dt>{term}</dt>
      <dd className={styles.value}>{value}</dd>
      {note !== undefined && <dd className={styles.note}>{note}</dd>}
    </div>
  );
}
