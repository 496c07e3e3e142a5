import { Wrench } from 'lucide-react';
import { useMemo } from 'react';
import { Live, useLive } from '../../../charts/index.ts';
import { counted } from '../../../format/index.ts';
import { Button, Card, DataTable, EmptyState, ErrorNotice, Page } from '../../../ui/index.ts';
import { chosenRows } from '../model/tool-rows.ts';
import { toolsRoute } from '../route.ts';
import { DEFAULT_WINDOW, toolsSearch, WINDOWS } from '../search.ts';
import { useTools } from '../use-tools.ts';
import { columnsOf } from './columns.tsx';
import { Filters } from './Filters.tsx';
import styles from './ToolList.module.css';

/** Names are also what models make up: more rows than this are found by searching. */
const MOST_ROWS = 200;

/** Every tool with its figures over the window, found by words, filtered and sorted. */
export function ToolList() {
  const search = toolsRoute.useSearch();
  const navigate = toolsRoute.useNavigate();
  const live = useLive();
  const { q, pool, show, window = DEFAULT_WINDOW } = search;
  const { rows, isCounted, window: trends, error, at, retry } = useTools(window, live.isLive);
  const chosen = useMemo(() => chosenRows(rows ?? [], search), [rows, search]);
  const shown = chosen.slice(0, MOST_ROWS);
  const pools = useMemo(() => [...new Set(rows?.flatMap((row) => row.pools))].sort(), [rows]);
  const columns = useMemo(() => columnsOf(trends, isCounted), [trends, isCounted]);
  const isFiltered = q !== undefined || pool !== undefined || show !== undefined;
  return (
    <Page
      title="Tools"
      lead="What the executors can do, and how it went."
      actions={<Live live={live} everyMs={WINDOWS[window].everyMs} at={at} />}
    >
      {error !== null && <ErrorNotice error={error} title="The figures could not be read" onRetry={retry} />}
      <Filters pools={pools} />
      {rows !== undefined && (
        <>
          <p role="status" className={styles.found}>
            {isFiltered ? `${chosen.length} of ${counted(rows.length, 'tool')}` : counted(rows.length, 'tool')}
            {chosen.length > MOST_ROWS && `; the first ${MOST_ROWS} are shown: search for the others`}
          </p>
          <Card flush>
            <DataTable
              label="Tools"
              columns={columns}
              rows={shown}
              rowKey={({ name }) => name}
              onOpen={({ name }) => void navigate({ search: (before) => ({ ...before, tool: name }) })}
              empty={
                isFiltered ? (
                  <EmptyState
                    title="No tool is like that"
                    action={
                      <Button onPress={() => void navigate({ search: toolsSearch({ window }) })}>
                        Clear the filters
                      </Button>
                    }
                  >
                    Search for fewer words, or look at all of them.
                  </EmptyState>
                ) : (
                  <EmptyState title="No tools are announced" icon={<Wrench />}>
                    Executors announce what they can do when they start. Start one: <code>make up</code> brings some
                    tools of its own, <code>TOOLSTREAM_TOOLS</code> names the files with yours.
                  </EmptyState>
                )
              }
            />
          </Card>
        </>
      )}
    </Page>
  );
}
