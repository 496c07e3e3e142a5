import { useRunLog } from './data/use-run-log.ts';
import { EventList } from './events/EventList.tsx';
import { NoEventsYet } from './LogNotices.tsx';

/** Every event of the run, one a row, as it is stored. */
export function EventsTab({ id }: { readonly id: string }) {
  const { log, view } = useRunLog(id);
  if (view.history.length > 0) return <EventList id={id} log={log} view={view} />;
  return (
    <NoEventsYet log={log} view={view}>
      They are listed as they come.
    </NoEventsYet>
  );
}
