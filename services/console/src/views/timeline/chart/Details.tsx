import { Button } from '../../../ui/index.ts';
import { sayBar } from '../model/say-bar.ts';
import type { Span } from '../model/spans.ts';
import styles from './Details.module.css';

export interface DetailsProps {
  /** What the pointer is on or the keys are at. */
  readonly span: Span | undefined;
  /** It was chosen, and stays. */
  readonly chosen: boolean;
  readonly name: string;
  readonly origin: number;
  readonly now: number;
  readonly onIndex: (index: number) => void;
}

/** What a bar says, in words. Its place is always there, so that nothing jumps when the pointer moves. */
export function Details({ span, chosen, name, origin, now, onIndex }: DetailsProps) {
  const words = span && sayBar(span, name, origin, now);
  return (
    <div className={styles.details} data-testid="timeline-details">
      <p className={words ? undefined : styles.hint}>
        {words ??
          'Point at a bar, or focus the timeline and use the arrow keys. Drag to pan; Ctrl or ⌘ with the wheel zooms; a press on the ruler goes to that time.'}
      </p>
      {/* Said once, and again when it ends: not with every tick of a bar that goes on. */}
      <span role="status" className="visually-hidden">
        {span && chosen ? sayBar(span, name, origin) : ''}
      </span>
      {span && chosen && (
        <div className={styles.buttons}>
          <Button size="s" onPress={() => onIndex(span.first)}>
            Go to its beginning
          </Button>
          {span.last !== undefined && (
            <Button size="s" onPress={() => onIndex(span.last!)}>
              Go to its end
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
