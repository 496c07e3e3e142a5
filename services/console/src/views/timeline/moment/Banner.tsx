import { History, Radio } from 'lucide-react';
import { useEffect } from 'react';
import { clockTime, count, counted } from '../../../format/index.ts';
import { announce, Button } from '../../../ui/index.ts';
import { sinceStart } from '../model/elapsed.ts';
import type { EventHistory } from '../model/event-history.ts';
import type { Moment } from '../use-moment.ts';
import styles from './Moment.module.css';

export interface BannerProps {
  readonly history: EventHistory;
  readonly moment: Moment;
  readonly ended: boolean;
}

/** Says whether this is the past or the present, and leads back from the one to the other. */
export function Banner({ history, moment: { index, live }, ended }: BannerProps) {
  const past = index !== undefined;
  useEffect(() => {
    if (past)
      announce('You are looking at the past: the run as it was. Back to live leads to the present.', 'timeline');
  }, [past]);
  if (!past) {
    return (
      <div className={styles.live} data-testid="timeline-banner">
        <Radio aria-hidden />
        <p>
          {ended
            ? `The run has ended, with ${counted(history.length + history.beyond, 'event')}. `
            : `Live: ${counted(history.length + history.beyond, 'event')} so far, and the next ones come by themselves. `}
          Move the scrubber to see the run as it was.
        </p>
      </div>
    );
  }
  const { columns } = history;
  return (
    <div className={styles.past} data-testid="timeline-banner">
      <History aria-hidden />
      <p>
        <strong>This is the past:</strong> the run as it was after event {count(index + 1)} of{' '}
        {count(history.length + history.beyond)}, {sinceStart(columns.time(index), columns.time(0))} after it was
        accepted, at {clockTime(columns.time(index))}.
      </p>
      <Button size="s" variant="primary" onPress={live}>
        Back to live
      </Button>
    </div>
  );
}
