import { Card, EmptyState, ErrorNotice } from '../../ui/index.ts';
import { useRunLog } from './data/use-run-log.ts';
import { EventList } from './events/EventList.tsx';

/** Every event of the run, one a row, as it is stored. */
export function EventsTab({ id }: { readonly id: string }) {
  const { log, view } = useRunLog(id);
  if (view.history.length > 0) return <EventList id={id} log={log} view={view} />;
  return (
    <Card>
      {view.status === 'failed' ? (
        <ErrorNotice title="The run’s events cannot be read" error={view.error} onRetry={() => log.retry()} />
      ) : (
        <EmptyState title="Reading the run’s events…">They are listed as they come.</EmptyState>
      )}
    </Card>
  );
}
