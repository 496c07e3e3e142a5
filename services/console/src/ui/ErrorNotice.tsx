import { TriangleAlert } from 'lucide-react';
import { Button } from './Button.tsx';
import styles from './ErrorNotice.module.css';
import { explain } from './explain.ts';

export interface ErrorNoticeProps {
  readonly error: unknown;
  /** What could not be done: “The run could not be paused”. */
  readonly title?: string;
  readonly onRetry?: () => void;
}

/** An alert: what happened, the stable code, and what to do. */
export function ErrorNotice({ error, title, onRetry }: ErrorNoticeProps) {
  const { message, advice, code } = explain(error);
  return (
    <div role="alert" className={styles.notice}>
      <TriangleAlert aria-hidden className={styles.icon} />
      <div className={styles.text}>
        <p className={styles.title}>{title ?? message}</p>
        {title !== undefined && <p>{message}</p>}
        <p className={styles.advice}>
          {advice} {code !== undefined && <code>{code}</code>}
        </p>
      </div>
      {onRetry !== undefined && (
        <Button size="s" onPress={onRetry}>
          Try again
        </Button>
      )}
    </div>
  );
}
