import { Link } from '@tanstack/react-router';
import { XCircle } from 'lucide-react';
import type { ReactNode } from 'react';
import { fineDuration, orDash, Sparkline } from '../../../charts/index.ts';
import { count, counted, share } from '../../../format/index.ts';
import type { DataColumn } from '../../../ui/index.ts';
import type { ToolRow } from '../model/tool-rows.ts';
import { type TrendWindow, trendRows } from '../model/trend.ts';
import styles from './ToolList.module.css';

/** `window`: of the trends; absent until there are figures. Before they are counted, no calls are not known to be none. */
export const columnsOf = (window: TrendWindow | undefined, isCounted: boolean): DataColumn<ToolRow>[] => [
  { id: 'tool', header: 'Tool', isRowHeader: true, cell: (row) => <Named row={row} /> },
  {
    id: 'calls',
    header: 'Calls',
    align: 'end',
    cell: ({ figures }) => <Labelled label="Calls">{isCounted ? count(figures?.runs ?? 0) : '–'}</Labelled>,
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
    cell: ({ figures }) => (
      <Labelled label="Success">
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
      </Labelled>
    ),
  },
  {
    id: 'duration',
    header: 'Duration p50 · p95',
    align: 'end',
    cell: ({ figures }) => (
      <Labelled label="Duration">{pair(figures?.duration_p50_ms, figures?.duration_p95_ms)}</Labelled>
    ),
  },
  {
    id: 'queue',
    header: 'Queue p50 · p95',
    align: 'end',
    cell: ({ figures }) => <Labelled label="Queue">{pair(figures?.queue_p50_ms, figures?.queue_p95_ms)}</Labelled>,
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

/** The header's words again where a narrow screen shows no header. */
function Labelled({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <span className={styles.figure}>
      <span className={styles.label}>{label}</span>
      {children}
    </span>
  );
}

const pair = (p50: number | null | undefined, p95: number | null | undefined): string =>
  p50 === null || p50 === undefined ? '–' : `${fineDuration(p50)} · ${orDash(p95, fineDuration)}`;
