import { ProgressBar as AriaProgressBar } from 'react-aria-components';
import { percent } from '../format/index.ts';
import styles from './ProgressBar.module.css';
import type { Tone } from './status.ts';

export interface ProgressBarProps {
  readonly label: string;
  /** 0–100, measured; absent where the total is unknown: then it shows that something goes on and no number. */
  readonly value?: number | undefined;
  /** Nothing moves: it has ended or waits. Only matters without a value. */
  readonly still?: boolean;
  readonly tone?: Tone;
  /** In place of the percentage: `3 of 8 calls`. */
  readonly valueText?: string;
}

export function ProgressBar({ label, value, still = false, tone = 'busy', valueText }: ProgressBarProps) {
  const known = value !== undefined;
  const shown = known ? Math.min(100, Math.max(0, value)) : 0;
  const text = valueText ?? (known ? percent(shown) : undefined);
  return (
    <AriaProgressBar
      aria-label={label}
      {...(known ? { value: shown } : { isIndeterminate: true })}
      {...(text === undefined ? {} : { valueLabel: text })}
      className={`${styles.bar} ${styles[tone]}`}
    >
      <span className={styles.track}>
        <span
          className={known ? styles.fill : still ? styles.nothing : styles.unknown}
          style={known ? { transform: `scaleX(${shown / 100})` } : undefined}
        />
      </span>
      {text !== undefined && <span className={styles.value}>{text}</span>}
    </AriaProgressBar>
  );
}
