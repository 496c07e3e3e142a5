import { type ReactNode, useId } from 'react';
import styles from './Card.module.css';

export interface CardProps {
  readonly title?: ReactNode;
  /** Of the heading; headings on a page are in order, and the page's own is 1. */
  readonly level?: 2 | 3 | 4;
  readonly actions?: ReactNode;
  /** Content goes to the edges: tables and lists. */
  readonly flush?: boolean;
  readonly children: ReactNode;
}

export function Card({ title, level = 2, actions, flush = false, children }: CardProps) {
  const id = useId();
  const Heading = `h${level}` as const;
  return (
    <section className={styles.card} aria-labelledby={title === undefined ? undefined : id}>
      {title !== undefined && (
        <header className={styles.header}>
          <Heading id={id} className={styles.title}>
            {title}
          </Heading>
          {actions !== undefined && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      <div className={flush ? styles.flush : styles.body}>{children}</div>
    </section>
  );
}
