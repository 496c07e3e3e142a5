import { about, useRunProgress, useRunSelector } from '@toolstream/react';
import { count, counted, duration } from '../../../format/index.ts';
import { Card, ProgressBar } from '../../../ui/index.ts';
import styles from './OverallProgress.module.css';

const NO_FORECAST = {
  not_started: 'not started yet',
  paused: 'paused',
  approval: 'waits for an answer',
  cancelling: 'being cancelled',
  overdue: 'takes longer than expected',
} as const;

/** How far the run is, by what was measured, and how long it may still take, by what its calls have taken so far. */
export function OverallProgress({ id }: { readonly id: string }) {
  const progress = useRunProgress(id);
  const status = useRunSelector(id, ({ run }) => run?.status);
  if (!progress) return null;
  const { total, done, failed, running, awaiting_approval, percent, elapsed_ms, remaining_ms, no_forecast } = progress;
  const parts = [
    running > 0 ? `${count(running)} running` : '',
    failed > 0 ? `${count(failed)} failed` : '',
    awaiting_approval > 0 ? `${count(awaiting_approval)} waiting for an answer` : '',
  ].filter(Boolean);
  return (
    <Card>
      <div className={styles.overall} data-testid="overall-progress">
        <div className={styles.words}>
          <p>
            <strong>
              {count(done)} of {counted(total, 'call')} ended
            </strong>
            {parts.length > 0 && <span className={styles.muted}> · {parts.join(' · ')}</span>}
          </p>
          <p className={styles.muted}>
            {elapsed_ms !== undefined && <>{duration(elapsed_ms)} so far · </>}
            {remaining_ms !== undefined
              ? about(remaining_ms)
              : no_forecast !== undefined
                ? NO_FORECAST[no_forecast]
                : ''}
          </p>
        </div>
        <ProgressBar
          label="Progress of the run"
          value={percent}
          still={status === 'paused' || status === 'accepted'}
          tone={status === 'paused' ? 'held' : status === 'cancelling' ? 'warn' : 'busy'}
        />
      </div>
    </Card>
  );
}
