import { Link } from '@tanstack/react-router';
import { isRunEnded, type RunListItem } from '@toolstream/proto-events';
import { UserRoundCheck } from 'lucide-react';
import { createContext, useContext, useSyncExternalStore } from 'react';
import { between, counted, duration } from '../../format/index.ts';
import { ProgressBar, StatusBadge, statusLook, useNow } from '../../ui/index.ts';
import type { LiveRuns } from './live-runs.ts';
import styles from './RunsView.module.css';
import { type RunRow, rowOf, toolsInWords } from './row.ts';

/** Each cell follows its own run: a run that moves renders its own cells, and not the table. */
export const LiveRunsContext = createContext<LiveRuns | undefined>(undefined);

const never = () => () => {};

function useRow(item: RunListItem): RunRow {
  const live = useContext(LiveRunsContext);
  const state = useSyncExternalStore(live?.subscribe ?? never, () => live?.get(item.run_id));
  return rowOf(item, state);
}

export function StatusCell({ item }: { readonly item: RunListItem }) {
  const { status, waiting } = useRow(item);
  return (
    <span className={styles.status}>
      <StatusBadge status={status} size="s" />
      {waiting > 0 && (
        <span className={styles.waiting}>
          <UserRoundCheck aria-hidden />
          {waiting === 1 ? 'Needs approval' : `${waiting} need approval`}
        </span>
      )}
    </span>
  );
}

export function RunCell({ item }: { readonly item: RunListItem }) {
  return (
    <span className={styles.run}>
      <Link to="/runs/$id" params={{ id: item.run_id }} className={styles.name}>
        {toolsInWords(item)}
      </Link>
      <code className={styles.id}>{item.run_id}</code>
    </span>
  );
}

export function ProgressCell({ item }: { readonly item: RunListItem }) {
  const { status, progress, ended, total, failed } = useRow(item);
  const over = isRunEnded(status);
  return (
    <span className={styles.progress}>
      <ProgressBar
        label={`Progress of run ${item.run_id}`}
        value={progress}
        tone={over ? statusLook[status].tone : 'busy'}
        valueText={`${ended} of ${total}`}
      />
      {failed > 0 && <span className={styles.failed}>{counted(failed, 'call')} failed</span>}
    </span>
  );
}

export function DurationCell({ item }: { readonly item: RunListItem }) {
  const { startedAt, endedAt } = useRow(item);
  const now = useNow(startedAt !== undefined && endedAt === undefined);
  const ms = between(startedAt, endedAt, now);
  return <>{ms === undefined ? '–' : duration(ms)}</>;
}
