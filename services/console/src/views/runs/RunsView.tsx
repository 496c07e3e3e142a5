import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { RunListItem } from '@toolstream/proto-events';
import { ChevronLeft, ChevronRight, SearchX } from 'lucide-react';
import { counted } from '../../format/index.ts';
import {
  Button,
  Card,
  type DataColumn,
  DataTable,
  EmptyState,
  ErrorNotice,
  Page,
  RelativeTime,
} from '../../ui/index.ts';
import { DurationCell, LiveRunsContext, ProgressCell, RunCell, StatusCell } from './cells.tsx';
import { Filters } from './Filters.tsx';
import styles from './RunsView.module.css';
import { isFiltered, type RunsSearch } from './search.ts';
import { useRunsPage } from './use-runs-page.ts';

const COLUMNS: readonly DataColumn<RunListItem>[] = [
  { id: 'status', header: 'Status', cell: (item) => <StatusCell item={item} /> },
  { id: 'run', header: 'Run', isRowHeader: true, ownLine: true, cell: (item) => <RunCell item={item} /> },
  {
    id: 'app',
    header: 'App',
    labelled: true,
    cell: (item) => (
      <Link to="/apps/$app" params={{ app: item.app }} className={styles.app}>
        {item.app}
      </Link>
    ),
  },
  { id: 'progress', header: 'Calls ended', ownLine: true, cell: (item) => <ProgressCell item={item} /> },
  { id: 'duration', header: 'Duration', align: 'end', labelled: true, cell: (item) => <DurationCell item={item} /> },
  {
    id: 'accepted',
    header: 'Accepted',
    align: 'end',
    labelled: true,
    cell: (item) => <RelativeTime at={item.accepted_at} />,
  },
];

export function RunsView() {
  const search = useSearch({ from: '/' });
  const navigate = useNavigate();
  const { runs, next, live, data, error, refetch, isPlaceholderData } = useRunsPage(search);
  const go = (to: RunsSearch) => void navigate({ to: '/', search: to });
  return (
    <Page title="Runs" lead="One run is one turn of a model: the tool calls that it handed over together.">
      <Filters search={search} onChange={(filter) => void navigate({ to: '/', search: filter, replace: true })} />
      {error !== null && <ErrorNotice error={error} title="The list is not current" onRetry={() => void refetch()} />}
      {data === undefined && error === null && <p role="status">Loading the runs…</p>}
      {data !== undefined && (
        <LiveRunsContext value={live}>
          <div className={styles.list} data-stale={isPlaceholderData || undefined}>
            <Card flush>
              <DataTable
                label={search.before === undefined ? 'Runs, newest first' : 'Older runs'}
                columns={COLUMNS}
                rows={runs}
                rowKey={({ run_id }) => run_id}
                onOpen={({ run_id }) => void navigate({ to: '/runs/$id', params: { id: run_id } })}
                empty={isFiltered(search) ? <NothingFits onClear={() => go({})} /> : <NothingYet />}
              />
            </Card>
            <nav className={styles.pages} aria-label="Pages">
              <span>
                {runs.length > 0 && counted(runs.length, 'run')} {runs.length > 0 && 'on this page'}
              </span>
              <Button
                size="s"
                icon={<ChevronLeft aria-hidden />}
                isDisabled={search.before === undefined}
                onPress={() => {
                  const { before: _, ...newest } = search;
                  go(newest);
                }}
              >
                Newest
              </Button>
              <Button
                size="s"
                icon={<ChevronRight aria-hidden />}
                isDisabled={next === undefined}
                onPress={() => next !== undefined && go({ ...search, before: next })}
              >
                Older
              </Button>
            </nav>
          </div>
        </LiveRunsContext>
      )}
    </Page>
  );
}

function NothingFits({ onClear }: { readonly onClear: () => void }) {
  return (
    <EmptyState
      title="No run fits these filters"
      icon={<SearchX />}
      action={<Button onPress={onClear}>Clear the filters</Button>}
    >
      Runs appear here by themselves as soon as one does.
    </EmptyState>
  );
}

function NothingYet() {
  return (
    <EmptyState title="No runs yet" action={<Link to="/new">Start one here</Link>}>
      Hand over a model’s tool calls with <code>POST /v1/runs</code>, or let <code>make demo</code> do it. They appear
      here by themselves.
    </EmptyState>
  );
}
