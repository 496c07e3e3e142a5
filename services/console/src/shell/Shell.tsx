import { Outlet, useRouterState } from '@tanstack/react-router';
import { ErrorBoundary } from './ErrorBoundary.tsx';
import { Navigation } from './Navigation.tsx';
import styles from './Shell.module.css';

/** What is around every view: the way past the navigation, the navigation, and one main landmark. */
export function Shell() {
  const place = useRouterState({ select: ({ matches }) => matches.at(-1)?.id ?? '' });
  return (
    <div className={styles.shell}>
      <a href="#main" className={styles.skip}>
        Skip to the content
      </a>
      <Navigation />
      <main id="main" tabIndex={-1} className={styles.main}>
        <ErrorBoundary place={place}>
          <Outlet />
        </ErrorBoundary>
      </main>
    </div>
  );
}
