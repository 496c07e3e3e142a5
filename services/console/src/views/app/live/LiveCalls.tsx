import { Link } from '@tanstack/react-router';
import { Moon } from 'lucide-react';
import { duration } from '../../../format/index.ts';
import { EmptyState, ProgressBar, StatusBadge, useNow } from '../../../ui/index.ts';
import type { LiveCall } from '../model/live-calls.ts';
import styles from './LiveCalls.module.css';

/** What is shown at once; the runs themselves show the rest. */
const SHOWN = 100;

/** What a call without a stage does. */
const WAITS: Readonly<Record<string, string>> = {
  awaiting_approval: 'Somebody has to answer: open the run.',
  queued: 'Waits for a free executor.',
  retrying: 'Waits for its next attempt.',
};

/** Every call that runs, waits for a person or will go on by itself, over all live runs of the app. */
export function LiveCalls({ calls }: { readonly calls: readonly LiveCall[] }) {
  const now = useNow();
  if (calls.length === 0) {
    return (
      <EmptyState title="No tool is running" icon={<Moon />}>
        Calls appear here while they run, and leave when they end.
      </EmptyState>
    );
  }
  return (
    <>
      <ul className={styles.list} aria-label="Live calls">
        {calls.slice(0, SHOWN).map(({ run, tool }) => {
          const { stage, message } = tool.progress ?? {};
          const since = tool.started_at ?? tool.queued_at;
          return (
            <li key={`${run.run_id} ${tool.index}`} className={styles.call} data-testid="live-call">
              <div className={styles.what}>
                <StatusBadge status={tool.status} size="s" />
                <Link to="/runs/$id" params={{ id: run.run_id }} className={styles.name}>
                  {tool.name}
                  <span className="visually-hidden">
                    , call {tool.index + 1} of run {run.run_id}
                  </span>
                </Link>
                <span className={styles.facts}>
                  call {tool.index + 1} of {run.tools.length}
                  {since !== undefined && `, ${duration(Math.max(0, now - Date.parse(since)))}`}
                </span>
              </div>
              <p className={styles.stage}>{[stage, message].filter(Boolean).join(': ') || WAITS[tool.status]}</p>
              {tool.status === 'running' && (
                <ProgressBar
                  label={`Progress of ${tool.name}, call ${tool.index + 1}`}
                  value={tool.progress?.progress}
                  still={run.status === 'paused'}
                />
              )}
            </li>
          );
        })}
      </ul>
      {calls.length > SHOWN && (
        <p className={styles.facts}>And {calls.length - SHOWN} more: open their runs to see them.</p>
      )}
    </>
  );
}
