import { durationOf, percentOf, type ToolState, useRunSelector } from '@toolstream/react';
import { duration } from '../../../format/index.ts';
import { ProgressBar, statusLook } from '../../../ui/index.ts';
import { figuresOf } from '../model/figures.ts';
import { againstEstimate, queueMs } from '../model/timing.ts';
import { useServiceNow } from '../use-service-now.ts';
import styles from './CallProgress.module.css';

/** Stage, bar, numbers and time. A percentage is shown only where the attempt measures one. */
export function CallProgress({ id, tool }: { readonly id: string; readonly tool: ToolState }) {
  const paused = useRunSelector(id, ({ run }) => run?.status === 'paused');
  const running = tool.status === 'running';
  const now = useServiceNow(id, running || tool.status === 'queued');
  const took = durationOf(tool, now);
  const queued = queueMs(tool, now);
  const time = took === undefined ? undefined : againstEstimate(took, tool.estimated_duration_ms);
  const figures = figuresOf(tool);
  return (
    <div className={styles.progress}>
      {running && (
        <div className={styles.bar}>
          <span className={styles.stage}>{tool.progress?.stage ?? 'started'}</span>
          <ProgressBar
            label={`Progress of ${tool.name}`}
            value={percentOf(tool)}
            still={paused && tool.pause !== 'finish'}
            tone={paused ? 'held' : statusLook.running.tone}
          />
        </div>
      )}
      <dl className={styles.figures}>
        {figures.map(({ key, label, text }) => (
          <div key={key} data-figure={key}>
            <dt>{label}</dt>
            <dd>{text}</dd>
          </div>
        ))}
        <div>
          <dt>Time</dt>
          <dd>
            {time?.text ?? `usually ${duration(tool.estimated_duration_ms)}`}
            {time?.over && <span className={styles.over}> (longer than usual)</span>}
          </dd>
        </div>
        {queued !== undefined && (
          <div>
            <dt>In the queue</dt>
            <dd>{duration(queued)}</dd>
          </div>
        )}
      </dl>
    </div>
  );
}
