import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { RunListItem } from '@toolstream/proto-events';
import { useToolstream } from '@toolstream/react';
import { memo } from 'react';
import { counted, duration } from '../../../format/index.ts';
import {
  Card,
  type DataColumn,
  DataTable,
  EmptyState,
  ErrorNotice,
  RelativeTime,
  StatusBadge,
} from '../../../ui/index.ts';
import { useAskedAgain } from '../use-asked-again.ts';

const COLUMNS: readonly DataColumn<RunListItem>[] = [
  { id: 'status', header: 'Status', cell: (run) => <StatusBadge status={run.status} size="s" /> },
  { id: 'run', header: 'Run', isRowHeader: true, cell: (run) => <code>{run.run_id}</code> },
  { id: 'calls', header: 'Calls', cell: (run) => `${run.tools_ended} of ${run.tools_total} ended` },
  { id: 'files', header: 'Written', wideOnly: true, cell: (run) => writtenBy(run) },
  {
    id: 'time',
    header: 'Took',
    wideOnly: true,
    cell: (run) => (run.summary ? duration(run.summary.duration_ms) : '–'),
  },
  { id: 'when', header: 'Accepted', cell: (run) => <RelativeTime at={run.accepted_at} /> },
];

function writtenBy({ summary }: RunListItem): string {
  if (!summary || (summary.files_created === 0 && summary.lines_written === 0)) return '–';
  return [
    ...(summary.files_created === 0 ? [] : [counted(summary.files_created, 'new file')]),
    ...(summary.lines_written === 0 ? [] : [counted(summary.lines_written, 'line')]),
  ].join(', ');
}

interface RecentRunsProps {
  readonly app: string;
  /** Another text whenever a run began or a call ended. */
  readonly changes: string;
}

/** The newest runs of an app. */
export const RecentRuns = memo(function RecentRuns({ app, changes }: RecentRunsProps) {
  const client = useToolstream();
  const navigate = useNavigate();
  useAskedAgain(['recent-runs', app], changes);
  const { data, error, refetch } = useQuery({
    queryKey: ['recent-runs', app],
    queryFn: ({ signal }) => client.list({ app, limit: 20 }, { signal }),
    // The list may be a moment behind the events.
    refetchInterval: 5_000,
  });
  return (
    <Card
      title="Recent runs"
      flush
      actions={
        <Link to="/" search={{ app }}>
          All runs of this app
        </Link>
      }
    >
      {error !== null && <ErrorNotice title="The runs cannot be listed" error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <DataTable
          label="Recent runs"
          columns={COLUMNS}
          rows={data.runs}
          rowKey={({ run_id }) => run_id}
          onOpen={({ run_id }) => void navigate({ to: '/runs/$id', params: { id: run_id } })}
          empty={
            <EmptyState title="No runs yet">
              <Link to="/new" search={{ app }}>
                Start the first one
              </Link>
            </EmptyState>
          }
        />
      )}
    </Card>
  );
});
