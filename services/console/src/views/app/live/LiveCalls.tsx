import { Link } from '@tanstack/react-router';
import type { ToolState } from '@toolstream/react';
import { Moon } from 'lucide-react';
import { memo } from 'react';
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
        {calls.slice(0, SHOWN).map(({ run, tool }) => (
          <Call
            key={`${run.run_id} ${tool.index}`}
            run={run.run_id}
            of={run.tools.length}
            isPaused={run.status === 'paused'}
            tool={tool}
          />
        ))}
      </ul>
      {calls.length > SHOWN && (
        <p className={styles.facts}>And {calls.length - SHOWN} more: open their runs to see them.</p>
      )}
    </>
  );
}

interface CallProps {
  readonly run: string;
  readonly of: number;
  readonly isPaused: boolean;
  readonly tool: ToolState;
}

/** Rendered when this call changed; what others do is not its business. */
const Call = memo(function Call({ run, of, isPaused, tool }: CallProps) {
  const { stage, message, progress } = tool.progress ?? {};
  return (
    <li className={styles.call} data-testid="live-call">
      <div className={styles.what}>
        <StatusBadge status={tool.status} size="s" />
        <Link to="/runs/$id" params={{ id: run }} className={styles.name}>
          {tool.name}
          <span className="visually-hidden">
            , call {tool.index + 1} of run {run}
          </span>
        </Link>
        <span className={styles.facts}>
          call {tool.index + 1} of {of}
          <Since at={tool.started_at ?? tool.queued_at} />
        </span>
      </div>
      <p className={styles.stage}>{[stage, message].filter(Boolean).join(': ') || WAITS[tool.status]}</p>
      {tool.status === 'running' && (
        <ProgressBar label={`Progress of ${tool.name}, call ${tool.index + 1}`} value={progress} still={isPaused} />
      )}
    </li>
  );
});

function Since({ at }: { readonly at: string | undefined }) {
  const now = useNow();
  return at === undefined ? null : <>, {duration(Math.max(0, now - Date.parse(at)))}</>;
}
