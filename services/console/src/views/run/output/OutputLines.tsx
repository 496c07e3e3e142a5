import { useVirtualizer } from '@tanstack/react-virtual';
import { ArrowDownToLine } from 'lucide-react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { counted } from '../../../format/index.ts';
import { Button, ScrollRegion } from '../../../ui/index.ts';
import { channelWord, isErrorChannel, type OutputLine } from '../model/output-lines.ts';
import styles from './OutputLines.module.css';

interface OutputLinesProps {
  readonly label: string;
  readonly lines: readonly OutputLine[];
  /** More may come. */
  readonly live: boolean;
  /** It is of an attempt that no longer counts, and struck out. */
  readonly superseded?: boolean;
  /** There is more before the first line: how to get it. */
  readonly onWhole?: () => void;
}

const LINE_PX = 20;
/** From here to the end counts as being there. */
const NEAR_PX = 24;

/**
 * Lines as a terminal shows them. The end is followed until somebody scrolls up, and again when they come back to it or ask
 * for it; only what is in view is rendered.
 */
export function OutputLines({ label, lines, live, superseded = false, onWhole }: OutputLinesProps) {
  const box = useRef<HTMLElement>(null);
  const [following, setFollowing] = useState(true);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => LINE_PX,
    overscan: 20,
  });
  const toEnd = useCallback(() => {
    const element = box.current;
    if (element) element.scrollTop = element.scrollHeight;
  }, []);
  const last = lines.at(-1);
  const height = virtualizer.getTotalSize();
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new last line, or a line that became taller, moves the end.
  useEffect(() => {
    if (following) toEnd();
  }, [following, last, height, toEnd]);
  const onScroll = () => {
    const element = box.current;
    if (element) setFollowing(element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_PX);
  };
  return (
    <div className={styles.output}>
      {onWhole !== undefined && (
        <p className={styles.cut}>
          Only the newest lines are here.{' '}
          <Button size="s" onPress={onWhole}>
            Show everything it wrote
          </Button>
        </p>
      )}
      <div className={styles.frame}>
        <ScrollRegion ref={box} label={label} className={styles.scroll} onScroll={onScroll}>
          <ol className={superseded ? `${styles.lines} ${styles.superseded}` : styles.lines} style={{ height }}>
            {virtualizer.getVirtualItems().map(({ index, start, key }) => {
              const line = lines[index]!;
              return (
                <li
                  key={key}
                  ref={virtualizer.measureElement}
                  data-index={index}
                  data-channel={line.channel}
                  className={classOf(line.channel)}
                  style={{ transform: `translateY(${start}px)` }}
                >
                  {line.channel !== 'stdout' && <span className={styles.channel}>{channelWord(line.channel)}</span>}
                  <span className={styles.text}>{line.text === '' ? ' ' : line.text}</span>
                </li>
              );
            })}
          </ol>
        </ScrollRegion>
        {!following && (
          <div className={styles.back}>
            <Button size="s" icon={<ArrowDownToLine aria-hidden />} onPress={() => setFollowing(true)}>
              {live ? 'Follow the end' : 'To the end'}
            </Button>
          </div>
        )}
      </div>
      <p className={styles.count}>
        {counted(lines.length, 'line')}
        {live && (following ? ', following; scroll up to stop' : ', not following')}
      </p>
    </div>
  );
}

const classOf = (channel: string): string =>
  `${styles.line} ${isErrorChannel(channel) ? styles.error : channel === 'toolstream' ? styles.own : ''}`;
