import { Link } from '@tanstack/react-router';
import { useRunSelector, useToolCall } from '@toolstream/react';
import { ArrowLeft } from 'lucide-react';
import { StatusBadge } from '../../../ui/index.ts';
import { callNumber } from '../model/order.ts';
import { standingOf } from '../model/standing.ts';
import { subjectOf } from '../model/subject.ts';
import { Wish } from '../parts/Wish.tsx';
import { TO_WHAT_RUNS } from '../route.ts';
import { useServiceNow } from '../use-service-now.ts';
import { Attempts } from './Attempts.tsx';
import { CallActions } from './CallActions.tsx';
import styles from './CallDetail.module.css';
import { CallFacts } from './CallFacts.tsx';
import { CallOutput } from './CallOutput.tsx';
import { CallProgress } from './CallProgress.tsx';
import { CallValues } from './CallValues.tsx';
import { Failure } from './Failure.tsx';
import { Question } from './Question.tsx';

interface CallDetailProps {
  readonly id: string;
  readonly index: number;
  readonly chosen: boolean;
}

/** One call in full: what it does, what it asks, what it wrote, what it was given and what came of it. */
export function CallDetail({ id, index, chosen }: CallDetailProps) {
  const tool = useToolCall(id, index);
  if (!tool) return null;
  const subject = subjectOf(tool.arguments);
  return (
    <section className={styles.detail} aria-labelledby="call-title" data-testid="call-detail" data-index={index}>
      {chosen && (
        <Link {...TO_WHAT_RUNS} className={styles.back}>
          <ArrowLeft aria-hidden /> All calls
        </Link>
      )}
      <header className={styles.header}>
        <div className={styles.names}>
          <h2 id="call-title" tabIndex={-1} className={styles.title}>
            {callNumber(index)} {tool.name} {subject !== undefined && <code>{subject}</code>}
          </h2>
          <StatusBadge status={tool.status} />
        </div>
        <CallActions id={id} tool={tool} />
      </header>
      {/* What went wrong is said by its own notice. */}
      {tool.status !== 'failed' && <Standing id={id} index={index} />}
      <Wish id={id} index={index} />
      <Question id={id} tool={tool} />
      <Failure id={id} tool={tool} />
      <CallProgress id={id} tool={tool} />
      <Attempts id={id} tool={tool} />
      <CallOutput id={id} tool={tool} />
      <CallValues id={id} tool={tool} />
      <CallFacts id={id} tool={tool} />
    </section>
  );
}

function Standing({ id, index }: { readonly id: string; readonly index: number }) {
  const ended = useRunSelector(id, ({ run }) => run?.tools[index]?.ended_at !== undefined);
  const now = useServiceNow(id, !ended);
  const standing = useRunSelector(id, ({ run }) => (run?.tools[index] ? standingOf(run, run.tools[index], now) : ''));
  return (
    <p className={styles.standing} data-testid="standing">
      {standing}
    </p>
  );
}
