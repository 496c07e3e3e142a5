import { Link } from '@tanstack/react-router';
import { isToolEnded, type ToolStatus } from '@toolstream/proto-events';
import { durationOf, percentOf, type RunView, useRunSelector, useToolCall } from '@toolstream/react';
import { memo, useEffect, useRef } from 'react';
import { duration } from '../../../format/index.ts';
import { ProgressBar, StatusBadge, statusLook } from '../../../ui/index.ts';
import { figuresOf } from '../model/figures.ts';
import { callNumber, callNumbers, comesAfter } from '../model/order.ts';
import { standingOf } from '../model/standing.ts';
import { subjectOf } from '../model/subject.ts';
import { againstEstimate } from '../model/timing.ts';
import { Wish } from '../parts/Wish.tsx';
import { toCall } from '../route.ts';
import { useServiceNow } from '../use-service-now.ts';
import styles from './CallRow.module.css';

interface CallRowProps {
  readonly id: string;
  readonly index: number;
  readonly isOpen: boolean;
  /** The keyboard is on its way here. */
  readonly isWanted: boolean;
  readonly onFocus: (index: number) => void;
}

const TICKING: ReadonlySet<ToolStatus> = new Set(['queued', 'running', 'retrying']);

export const CallRow = memo(function CallRow({ id, index, isOpen, isWanted, onFocus }: CallRowProps) {
  const tool = useToolCall(id, index);
  const now = useServiceNow(id, tool !== undefined && TICKING.has(tool.status));
  const standing = useRunSelector(id, ({ run }) => (run?.tools[index] ? standingOf(run, run.tools[index], now) : ''));
  const after = useRunSelector(id, ({ run }) => afterOf(run, index));
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (isWanted) link.current?.focus({ preventScroll: true });
  }, [isWanted]);
  if (!tool) return <div className={styles.row} />;
  const took = durationOf(tool, now);
  const subject = subjectOf(tool.arguments);
  const figures = figuresOf(tool).slice(0, 2);
  return (
    <Link
      {...toCall(index)}
      ref={link}
      preload={false}
      className={styles.row}
      data-state={tool.status}
      data-open={isOpen}
      aria-current={isOpen ? 'true' : undefined}
      onFocus={() => onFocus(index)}
    >
      <span className={styles.head}>
        <span className={styles.number}>{callNumber(index)}</span>
        <span className={styles.name}>{tool.name}</span>
        {subject !== undefined && <span className={styles.subject}>{subject}</span>}
        {tool.attempt > 1 && <span className={styles.attempt}>attempt {tool.attempt}</span>}
        <StatusBadge status={tool.status} size="s" />
      </span>
      <span className={styles.foot}>
        <span className={styles.standing}>{standing}</span>
        {figures.length > 0 && (
          <span className={styles.figures}>
            {figures.map(({ key, label, text }) => (
              <span key={key}>
                {text} {withSmallLetter(label)}
              </span>
            ))}
          </span>
        )}
        {after !== '' && !isToolEnded(tool.status) && <span className={styles.after}>after {after}</span>}
        {took !== undefined && (
          <span className={styles.took} data-over={againstEstimate(took, tool.estimated_duration_ms).over}>
            {duration(took)}
          </span>
        )}
      </span>
      <Wish id={id} index={index} />
      {tool.status === 'running' && (
        <span aria-hidden className={styles.bar}>
          <ProgressBar label="" value={percentOf(tool)} tone={statusLook[tool.status].tone} />
        </span>
      )}
    </Link>
  );
});

/** Within a sentence; abbreviations stay as they are. */
const withSmallLetter = (label: string): string => label.replace(/^[A-Z](?![A-Z])/, (letter) => letter.toLowerCase());

/** What it comes after, where that is not simply the call before. */
const afterOf = (run: RunView['run'], index: number): string =>
  run?.ordering === 'graph' && run.tools[index] ? callNumbers(comesAfter(run, run.tools[index])) : '';
