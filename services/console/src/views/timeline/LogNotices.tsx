import type { ReactNode } from 'react';
import { Card, EmptyState, ErrorNotice } from '../../ui/index.ts';
import type { LogView, RunLog } from './data/run-log.ts';

interface LogProps {
  readonly log: RunLog;
  readonly view: LogView;
}

/** Stands where the events will be. */
export function NoEventsYet({ log, view, children }: LogProps & { readonly children: ReactNode }) {
  return (
    <Card>
      {view.status === 'failed' ? (
        <ErrorNotice title="The run’s events cannot be read" error={view.error} onRetry={() => log.retry()} />
      ) : (
        <EmptyState title="Reading the run’s events…">{children}</EmptyState>
      )}
    </Card>
  );
}

/** What is wrong with the events that are shown. */
export function LogNotices({ log, view }: LogProps) {
  return (
    <>
      {view.status === 'failed' && (
        <ErrorNotice title="The run’s events cannot be followed" error={view.error} onRetry={() => log.retry()} />
      )}
      {view.pageError !== undefined && (
        <ErrorNotice title="Earlier events cannot be fetched" error={view.pageError} onRetry={() => log.retry()} />
      )}
    </>
  );
}
