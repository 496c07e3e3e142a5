import { useConnection } from '@toolstream/react';
import { CircleDot, CloudOff, LoaderCircle, Radio, Unplug } from 'lucide-react';
import { useEffect, useRef } from 'react';
import { Button as AriaButton, Dialog, DialogTrigger, Heading, Popover } from 'react-aria-components';
import { announce, useNow } from '../ui/index.ts';
import styles from './ConnectionIndicator.module.css';
import { awayWords, connectionWords } from './connection-words.ts';

const ICONS = { idle: CircleDot, connecting: LoaderCircle, open: Radio, waiting: CloudOff, closed: Unplug };

/** Always says how it stands with the connection; pressed, it says more. Losing and finding it is announced. */
export function ConnectionIndicator() {
  const view = useConnection();
  const now = useNow(view.status === 'waiting');
  const { short, long, tone } = connectionWords(view, now);
  const away = awayWords(view);
  useAnnounced(view.status, away);
  const Icon = ICONS[view.status];
  return (
    <DialogTrigger>
      <AriaButton className={`${styles.indicator} ${styles[tone]}`} data-connection={view.status}>
        <Icon aria-hidden className={view.status === 'connecting' ? styles.turns : undefined} />
        <span>{short}</span>
      </AriaButton>
      <Popover className={styles.popover ?? ''} placement="bottom end">
        <Dialog className={styles.dialog ?? ''}>
          <Heading slot="title" level={2} className={styles.title ?? ''}>
            Connection
          </Heading>
          <p>{long}</p>
          {away !== undefined && <p>{away}</p>}
        </Dialog>
      </Popover>
    </DialogTrigger>
  );
}

function useAnnounced(status: string, away: string | undefined): void {
  const wasLost = useRef(false);
  useEffect(() => {
    if (status === 'waiting' || status === 'closed') {
      if (!wasLost.current) announce('The connection was lost. Runs go on meanwhile.', 'connection');
      wasLost.current = true;
    } else if (status === 'open' && wasLost.current) {
      wasLost.current = false;
      announce(`Connected again. ${away ?? ''}`, 'connection');
    }
  }, [status, away]);
}
