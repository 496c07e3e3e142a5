import type { RunState, ToolState } from '@toolstream/proto-events';
import { memo } from 'react';
import { percent } from '../../../format/index.ts';
import { Card, ScrollRegion, StatusBadge } from '../../../ui/index.ts';
import styles from './Moment.module.css';

export interface CallsThenProps {
  readonly state: RunState | undefined;
  readonly past: boolean;
}

/** Where every call stood at the moment that is shown. */
export function CallsThen({ state, past }: CallsThenProps) {
  return (
    <Card
      title={past ? 'The calls at that moment' : 'The calls now'}
      flush
      actions={state && <StatusBadge status={state.status} size="s" />}
    >
      {state ? (
        <ScrollRegion label="States of the calls" className={styles.scroll}>
          <ol className={styles.calls} data-testid="timeline-calls">
            {state.tools.map((tool) => (
              <CallThen key={tool.index} tool={tool} />
            ))}
          </ol>
        </ScrollRegion>
      ) : (
        <p className={styles.loading}>The events of that moment are fetched…</p>
      )}
    </Card>
  );
}

/** A call that an event does not touch stays the same object: it is not rendered again. */
const CallThen = memo(function CallThen({ tool }: { readonly tool: ToolState }) {
  return (
    <li className={styles.call} data-call={tool.index}>
      <span className={styles.callNumber}>{tool.index + 1}</span>
      <span className={styles.callName}>{tool.name}</span>
      <span className={styles.callWords}>{wordsOf(tool)}</span>
      <StatusBadge status={tool.status} size="s" />
    </li>
  );
});

function wordsOf(tool: ToolState): string {
  const attempt = tool.attempt > 1 ? `attempt ${tool.attempt}` : '';
  if (tool.status === 'running') {
    const measured = tool.progress?.progress ?? tool.measured;
    const stage = tool.progress?.stage ?? '';
    return [attempt, stage, measured === undefined ? '' : percent(measured)].filter(Boolean).join(' · ');
  }
  if (tool.error) return [attempt, tool.error.code].filter(Boolean).join(' · ');
  return attempt;
}
