import { useRunSelector } from '@toolstream/react';
import { statusLook } from '../../../ui/index.ts';
import { callNumbers } from '../model/order.ts';
import { runStanding } from '../model/standing.ts';
import { SUMMARY_TITLES, summaryFigures } from '../model/summary.ts';
import styles from './EndSummary.module.css';

/** What became of the run: calls, time, files and lines. The state no longer changes. */
export function EndSummary({ id }: { readonly id: string }) {
  const run = useRunSelector(id, (view) => view.run);
  if (!run || (run.status !== 'succeeded' && run.status !== 'failed' && run.status !== 'cancelled')) return null;
  const { Icon, tone } = statusLook[run.status];
  const failed = run.tools.filter(({ status }) => status === 'failed' || status === 'denied').map(({ index }) => index);
  return (
    <section className={`${styles.summary} ${styles[tone]}`} aria-label="Summary" data-testid="summary">
      <header className={styles.header}>
        <Icon aria-hidden className={styles.icon} />
        <div>
          <h2 className={styles.title}>{SUMMARY_TITLES[run.status]}</h2>
          <p>
            {runStanding(run)}
            {failed.length > 0 && ` Look at ${callNumbers(failed)}.`}
          </p>
        </div>
      </header>
      <dl className={styles.figures}>
        {summaryFigures(run).map(({ key, value, label }) => (
          <div key={key} data-figure={key}>
            <dd>{value}</dd>
            <dt>{label}</dt>
          </div>
        ))}
      </dl>
    </section>
  );
}
