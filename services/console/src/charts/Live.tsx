import { Pause, Play } from 'lucide-react';
import { useState } from 'react';
import { clockTime } from '../format/index.ts';
import { Button } from '../ui/index.ts';
import styles from './Live.module.css';
import { span } from './measures.ts';

export interface LiveState {
  readonly isLive: boolean;
  readonly toggle: () => void;
}

/** Whether a page of figures reads them again by itself. Whoever reads it can hold it still. */
export function useLive(): LiveState {
  const [isLive, setLive] = useState(true);
  return { isLive, toggle: () => setLive(!isLive) };
}

export interface LiveProps {
  readonly live: LiveState;
  readonly everyMs: number;
  /** When the figures were read; 0 before the first time. */
  readonly at: number;
}

export function Live({ live, everyMs, at }: LiveProps) {
  return (
    <div className={styles.live}>
      <span>
        {at === 0 ? 'Reading …' : `As of ${clockTime(at)}`}
        {live.isLive ? `, every ${span(everyMs)}` : ', held'}
      </span>
      <Button size="s" icon={live.isLive ? <Pause aria-hidden /> : <Play aria-hidden />} onPress={live.toggle}>
        {live.isLive ? 'Hold' : 'Go on'}
      </Button>
    </div>
  );
}
