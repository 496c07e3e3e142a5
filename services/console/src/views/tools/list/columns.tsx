import { Link } from '@tanstack/react-router';
import { XCircle } from 'lucide-react';
import { fineDuration, orDash, Sparkline } from '../../../charts/index.ts';
import { count, counted, share } from '../../../format/index.ts';
import type { DataColumn } from '../../../ui/index.ts';
import type { ToolRow } from '../model/tool-rows.ts';
import { type TrendWindow, trendRows } from '../model/trend.ts';
import styles from './ToolList.module.css';

/** `window`: of the trends; absent until there are figures. Before they are counted, no calls are not known to be none. */
export const columnsOf = (window: TrendWindow | undefined, isCounted: boolean): DataColumn<ToolRow>[] => [
  { id: 'tool', header: 'Tool', isRowHeader: true, ownLine: true, cell: (row) => <Named row={row} /> },
  {
    id: 'calls',
    header: 'Calls',
    align: 'end',
    labelled: true,
    cell: ({ figures }) => (isCounted ? count(figures?.runs ?? 0) : '–'),
  },
  {
    id: 'trend',
    header: 'Trend',
    wideOnly: true,
    cell: ({ figures }) => figures?.trend && window && <Sparkline rows={trendRows(figures.trend, window)} />,
  },
  {
    id: 'success',
    header: 'Success',
    align: 'end',
    labelled: true,
    cell: ({ figures }) => (
      <span className={styles.figure}>
        {orDash(figures?.success_rate, share)}
        {figures !== undefined && figures.failed > 0 && (
          <>
            {' '}
            <span className={styles.failed}>
              <XCircle aria-hidden />
              {counted(figures.failed, 'failure')}
            </span>
          </>
        )}
      </span>
    ),
  },
  {
    id: 'duration',
    header: 'Duration p50 · p95',
    align: 'end',
    labelled: true,
    cell: ({ figures }) => (
      <span className={styles.figure}>{pair(figures?.duration_p50_ms, figures?.duration_p95_ms)}</span>
    ),
  },
  {
    id: 'queue',
    header: 'Queue p50 · p95',
    align: 'end',
    labelled: true,
    cell: ({ figures }) => <span className={styles.figure}>{pair(figures?.queue_p50_ms, figures?.queue_p95_ms)}</span>,
  },
];

function Named({ row }: { readonly row: ToolRow }) {
  const { name, description, pools, definitions } = row;
  return (
    <div className={styles.tool}>
      <Link
        to="/tools"
        search={(before: object) => ({ ...before, tool: name })}
        className={styles.name}
        aria-label={`${name}: schema, policy and figures`}
      >
        <code>{name}</code>
      </Link>
      {description !== '' && <span className={styles.description}>{description}</span>}
      <span className={styles.pools}>
        {definitions.length === 0 ? 'Not announced by any executor' : `Pool ${pools.join(', ')}`}
      </span>
    </div>
  );
}

const pair = (p50: number | null | undefined, p95: number | null | undefined): string =>
  p50 === null || p50 === undefined ? '–' : `${fineDuration(p50)} · ${orDash(p95, fineDuration)}`;
