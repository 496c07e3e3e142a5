import { Link } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { Live, useLive } from '../../../charts/index.ts';
import { Card, EmptyState, ErrorNotice, Page } from '../../../ui/index.ts';
import { toolsRoute } from '../route.ts';
import { DEFAULT_WINDOW, WINDOWS } from '../search.ts';
import { useTools } from '../use-tools.ts';
import { WindowSelect } from '../WindowSelect.tsx';
import { Definition } from './Definition.tsx';
import { Failures } from './Failures.tsx';
import { ToolFiguresList } from './ToolFigures.tsx';
import styles from './ToolPage.module.css';
import { Trends } from './Trends.tsx';

/** One tool: what it takes, how its calls are run, and how they went. */
export function ToolPage({ name }: { readonly name: string }) {
  const { window = DEFAULT_WINDOW } = toolsRoute.useSearch();
  const live = useLive();
  const { rows, isCounted, window: trends, error, at, retry } = useTools(window, live.isLive);
  const row = rows?.find((each) => each.name === name);
  const figures = row?.figures;
  return (
    <Page
      title={<code>{name}</code>}
      documentTitle={name}
      breadcrumbs={[{ label: 'Tools', to: '/tools' }]}
      lead={row === undefined || row.description === '' ? undefined : row.description}
      actions={
        row !== undefined &&
        row.definitions.length > 0 && (
          <Link to="/new" search={{ tool: name }} className={styles.newRun}>
            <Plus aria-hidden />
            New run with this tool
          </Link>
        )
      }
    >
      {error !== null && <ErrorNotice error={error} title="The figures could not be read" onRetry={retry} />}
      {rows !== undefined && row === undefined && (
        <Card>
          <EmptyState title="There is no such tool" action={<Link to="/tools">All tools</Link>}>
            No executor announces it, and nothing called it in this time.
          </EmptyState>
        </Card>
      )}
      {row !== undefined && (
        <>
          <div className={styles.bar}>
            <WindowSelect />
            <Live live={live} everyMs={WINDOWS[window].everyMs} at={at} />
          </div>
          {isCounted && <ToolFiguresList figures={figures} />}
          {trends && figures && <Trends figures={figures} window={trends} />}
          {figures && figures.failed > 0 && <Failures figures={figures} />}
          {row.definitions.map((tool) => (
            <Definition key={tool.pool} tool={tool} several={row.definitions.length > 1} />
          ))}
          {row.definitions.length === 0 && (
            <Card title="Not announced">
              <p>
                Calls named this tool, but no executor announces it: it was withdrawn, or there never was one. Such
                calls fail with <code>unknown_tool</code>.
              </p>
            </Card>
          )}
        </>
      )}
    </Page>
  );
}
