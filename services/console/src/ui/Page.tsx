import { Link } from '@tanstack/react-router';
import { Fragment, type ReactNode, useEffect } from 'react';
import { arrived } from './arrived.ts';
import styles from './Page.module.css';

export interface Crumb {
  readonly label: string;
  readonly to: string;
}

export interface PageProps {
  /** The page's one `h1`. */
  readonly title: ReactNode;
  /** What the tab is called, where the title is more than text. */
  readonly documentTitle?: string;
  /** The ways up, outermost first. */
  readonly breadcrumbs?: readonly Crumb[];
  /** A sentence or some facts below the title. */
  readonly lead?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

export function Page({ title, documentTitle, breadcrumbs = [], lead, actions, children }: PageProps) {
  const name = documentTitle ?? (typeof title === 'string' ? title : undefined);
  useEffect(() => {
    document.title = name === undefined ? 'Toolstream' : `${name} · Toolstream`;
    arrived(location.pathname, name ?? 'Toolstream');
  }, [name]);
  return (
    <div className={styles.page}>
      <header className={styles.header}>
        {breadcrumbs.length > 0 && (
          <nav aria-label="Breadcrumbs" className={styles.crumbs}>
            {breadcrumbs.map(({ label, to }, i) => (
              <Fragment key={to}>
                {i > 0 && <span aria-hidden>/</span>}
                <Link to={to}>{label}</Link>
              </Fragment>
            ))}
          </nav>
        )}
        <div className={styles.row}>
          <h1 className={styles.title}>{title}</h1>
          {actions !== undefined && <div className={styles.actions}>{actions}</div>}
        </div>
        {lead !== undefined && <div className={styles.lead}>{lead}</div>}
      </header>
      {children}
    </div>
  );
}
