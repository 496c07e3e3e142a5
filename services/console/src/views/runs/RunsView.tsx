import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import type { RunListItem } from '@toolstream/proto-events';
import { useToolstream } from '@toolstream/react';
import {
  Card,
  type DataColumn,
  DataTable,
  EmptyState,
  ErrorNotice,
  Page,
  ProgressBar,
  RelativeTime,
  StatusBadge,
} from '../../ui/index.ts';

const COLUMNS: readonly DataColumn<RunListItem>[] = [
  { id: 'status', header: 'Status', cell: (run) => <StatusBadge status={run.status} size="s" /> },
  { id: 'run', header: 'Run', isRowHeader: true, cell: (run) => <code>{run.run_id}</code> },
  { id: 'app', header: 'App', cell: (run) => run.app },
  {
    id: 'progress',
    header: 'Calls',
    cell: (run) => (
      <ProgressBar
        label={`Calls of ${run.run_id} that have ended`}
        value={run.tools_total === 0 ? 100 : (100 * run.tools_ended) / run.tools_total}
        valueText={`${run.tools_ended} of ${run.tools_total}`}
      />
    ),
  },
  { id: 'when', header: 'Accepted', cell: (run) => <RelativeTime at={run.accepted_at} /> },
];

export function RunsView() {
  const client = useToolstream();
  const navigate = useNavigate();
  const { data, error, refetch } = useQuery({
    queryKey: ['runs'],
    queryFn: ({ signal }) => client.list({}, { signal }),
    refetchInterval: 3_000,
  });
  return (
    <Page title="Runs">
      {error !== null && <ErrorNotice error={error} onRetry={() => void refetch()} />}
      {data !== undefined && (
        <Card flush>
          <DataTable
            label="Runs"
            columns={COLUMNS}
            rows={data.runs}
            rowKey={({ run_id }) => run_id}
            onOpen={({ run_id }) => void navigate({ to: `/runs/${run_id}` })}
            empty={
              <EmptyState title="No runs yet" action={<Link to="/">Refresh</Link>}>
                Start one, or point an agent at this address.
              </EmptyState>
            }
          />
        </Card>
      )}
    </Page>
  );
}
